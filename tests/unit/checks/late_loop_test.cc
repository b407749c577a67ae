// The loop is held up across a check's limit: what had come by then is still in time, and what had not is not.
#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "tests/unit/checks/peer.h"
#include "tests/unit/checks/probe_run.h"

namespace slosonde::checks {
namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 300ms;
constexpr auto kBeyond = 60ms;  // how long after the limit the loop goes on

class LateLoop : public testing::TestWithParam<bool> {
 protected:
  // The check's result, when the peer answers `answer_after` its request and the loop stands still from the request to
  // kBeyond after the limit.
  CheckResult run(Duration answer_after) {
    const Peer peer([&](const auto&) {
      asked = true;
      while (!held_up) std::this_thread::yield();
      std::this_thread::sleep_until(std::chrono::steady_clock::now() + answer_after);
      return http_answer(200, "here it is");
    });
    const std::string yaml = GetParam() ? "http: {url: \"" + peer.url() + "\", expect: {body: {contains: here}}}"
                                        : "tcp: {address: \"127.0.0.1:" + std::to_string(peer.port()) +
                                              "\", send: \"hello\\r\\n\\r\\n\", expect: {contains: here}}";
    OneCheck check(real, yaml);
    const std::function<void()> look = [&] {
      if (!asked) return boost::asio::post(real.executor(), look);
      held_up = true;
      std::this_thread::sleep_until(std::chrono::steady_clock::now() + (check.context.deadline + kBeyond - real.now()));
    };
    look();
    CheckResult result = check.run(kLimit);
    limit = check.context.deadline;
    return result;
  }

  io::Real real;
  std::atomic<bool> asked = false, held_up = false;
  Instant limit{};
};

TEST_P(LateLoop, AnAnswerThatWasThereInTimeIsInTime) {
  const CheckResult result = run(0ms);
  EXPECT_EQ(result.outcome, Outcome::held) << result.error.text;
  EXPECT_LE(result.received, limit);
  EXPECT_GE(result.received, limit - kLimit);
}

TEST_P(LateLoop, AnAnswerThatCameAfterTheLimitIsLate) {
  const CheckResult result = run(kLimit + kBeyond / 2);
  EXPECT_TRUE(result.outcome == Outcome::timed_out || result.received > limit) << result.error.text;
}

TEST_P(LateLoop, NoAnswerIsNone) {
  const CheckResult result = run(kLimit + 5 * kBeyond);
  EXPECT_EQ(result.outcome, Outcome::timed_out);
  EXPECT_EQ(result.error.code, ErrorCode::timeout) << result.error.text;
}

INSTANTIATE_TEST_SUITE_P(Kinds, LateLoop, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Http" : "Tcp"; });

}  // namespace
}  // namespace slosonde::checks
