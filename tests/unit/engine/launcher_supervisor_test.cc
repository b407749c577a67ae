#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include "probe/engine/supervisor.h"
#include "tests/unit/engine/launcher_world.h"

namespace slosonde::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class SupervisorTest : public testing::Test {
 protected:
  std::function<void(Input)> feed() {
    return [this](Input input) {
      if (const auto* lost = std::get_if<OutOfSight>(&input)) {
        lost_at.push_back(io.now());
        errors.push_back(lost->error);
      } else {
        others.push_back(input.index());
      }
    };
  }

  TestIo io;
  std::vector<Instant> lost_at;
  std::vector<Error> errors;
  std::vector<size_t> others;
};

TEST_F(SupervisorTest, ForwardsWhatTheWatchReports) {
  auto watch = std::make_shared<TestWatch>([&](checks::WatchSink& sink) -> io::Awaitable<Error> {
    checks::Evidence evidence;
    evidence.text = "text";
    sink.evidence(evidence);
    sink.covered(io.now(), io.now());
    const Instant then = io.now() + seconds(3600);
    co_await io.sleep_until(then);
    Error none;
    co_return none;
  });
  Supervisor supervisor(io, watch, 3, feed());
  supervisor.start();
  io.settle();
  EXPECT_THAT(others, testing::ElementsAre(Input(EvidenceSeen{}).index(), Input(Covered{}).index()));
  EXPECT_TRUE(supervisor.running());
  supervisor.stop();
  io.settle();
  EXPECT_FALSE(supervisor.running());
  EXPECT_TRUE(errors.empty()) << "stopping is no loss of sight";
}

TEST_F(SupervisorTest, StartsAWatchAgainEverMorePatiently) {
  auto watch = std::make_shared<TestWatch>([](checks::WatchSink&) -> io::Awaitable<Error> {
    Error gone{ErrorCode::connect_refused, "gone"};
    co_return gone;
  });
  Supervisor supervisor(io, watch, 0, feed());
  supervisor.start();
  io.run_for(seconds(120));
  ASSERT_GE(lost_at.size(), 10U);
  EXPECT_EQ(errors[0].code, ErrorCode::connect_refused);
  Duration longest = kFirstPause;
  for (size_t i = 1; i < lost_at.size(); ++i) {
    const Duration pause = lost_at[i] - lost_at[i - 1];
    EXPECT_LE(pause, longest) << i;
    EXPECT_GE(pause, longest / 2) << i;
    longest = std::min(longest * 2, kLongestPause);
  }
  EXPECT_LE(lost_at.size(), 6 + 120 / 5U) << "restarts are too eager";
}

TEST_F(SupervisorTest, AWatchThatWentWellStartsOverWithTheShortestPause) {
  auto watch = std::make_shared<TestWatch>([&](checks::WatchSink&) -> io::Awaitable<Error> {
    const Instant then = io.now() + kSteady;
    co_await io.sleep_until(then);
    throw std::runtime_error("split brain");
  });
  Supervisor supervisor(io, watch, 0, feed());
  supervisor.start();
  io.run_for(kSteady * 8);
  ASSERT_GE(lost_at.size(), 7U);
  EXPECT_THAT(errors[0].text, HasSubstr("split brain"));
  EXPECT_LE(lost_at[6] - lost_at[5], kSteady + kFirstPause);
}

TEST_F(SupervisorTest, ReportsToNobodyAfterItsEnd) {
  auto watch = std::make_shared<TestWatch>([&](checks::WatchSink& sink) -> io::Awaitable<Error> {
    const Instant then = io.now() + seconds(1);
    co_await io.sleep_until(then);
    sink.out_of_sight(Error{ErrorCode::cancelled, "cancelled"});
    Error over{ErrorCode::cancelled, "cancelled"};
    co_return over;
  });
  {
    Supervisor supervisor(io, watch, 0, feed());
    supervisor.start();
    io.settle();
  }
  io.run_for(seconds(30));
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(watch->started, 1);
}

}  // namespace
}  // namespace slosonde::engine
