#include "checks/tcp.h"

#include <gmock/gmock.h>

#include "tests/unit/checks/peer.h"
#include "tests/unit/checks/probe_run.h"

namespace slosonde::checks {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::string tcp(const Peer& peer, const std::string& more) {
  return "tcp: {address: \"127.0.0.1:" + std::to_string(peer.port()) + "\", send: \"x {{marker}}\\r\\n\\r\\n\"" + more +
         "}";
}

TEST(Tcp, SendsAndExpects) {
  const Peer peer([](const std::string& got) { return "you said " + got; });
  io::Real real;
  OneCheck check(real, tcp(peer, ", expect: {contains: [said, sonde1-marker], regex: '^you'}"));
  const CheckResult result = check.run();
  EXPECT_EQ(result.outcome, Outcome::held) << result.error.text;
  EXPECT_EQ(result.delivery, Delivery::acked);
  EXPECT_THAT(result.evidence, HasSubstr("sonde1-marker"));
  for (const Phase phase : {Phase::connect, Phase::send, Phase::wait, Phase::receive})
    EXPECT_TRUE(result.phases[static_cast<size_t>(phase)]) << name(phase);
}

TEST(Tcp, ConnectingAloneIsEnough) {
  const Peer peer([](const auto&) { return ""; });
  io::Real real;
  OneCheck check(real, "tcp: {address: \"localhost:" + std::to_string(peer.port()) + "\"}");
  const CheckResult result = check.run();
  EXPECT_EQ(result.outcome, Outcome::held) << result.error.text;
  EXPECT_TRUE(result.phases[static_cast<size_t>(Phase::resolve)]);
}

TEST(Tcp, SaysWhatCameInstead) {
  const Peer peer([](const std::string&) { return "-ERR no\x01"; });
  io::Real real;
  const CheckResult late = OneCheck(real, tcp(peer, ", expect: {contains: +OK}")).run(60ms);
  EXPECT_EQ(late.outcome, Outcome::timed_out);
  EXPECT_EQ(late.error.code, ErrorCode::timeout);
  EXPECT_THAT(late.error.text, HasSubstr("expected \"+OK\"; what came is \"-ERR no.\""));

  const Peer rude([](const std::string&) { return "close"; });
  OneCheck poll(real, tcp(rude, ", expect: {contains: +OK}"));
  EXPECT_EQ(poll.run().outcome, Outcome::wrong);
  poll.context.polling = true;
  const CheckResult closed = poll.run();
  EXPECT_EQ(closed.outcome, Outcome::not_yet);
  EXPECT_THAT(closed.error.text, HasSubstr("the peer closed the connection"));
}

TEST(Tcp, AnAnswerIsBounded) {
  const Peer peer([](const std::string&) { return std::string(100'000, 'x'); });
  io::Real real;
  const CheckResult result = OneCheck(real, tcp(peer, ", expect: {contains: y}, max_bytes: 1KiB")).run();
  EXPECT_EQ(result.outcome, Outcome::wrong);
  EXPECT_EQ(result.error.code, ErrorCode::too_large);
  EXPECT_EQ(result.evidence.size(), 1024u);
}

TEST(Tcp, NobodyListens) {
  io::Real real;
  std::string yaml;
  {
    const Peer gone([](const auto&) { return ""; });
    yaml = tcp(gone, "");
  }
  const CheckResult result = OneCheck(real, yaml).run();
  EXPECT_EQ(result.outcome, Outcome::unreachable);
  EXPECT_EQ(result.error.code, ErrorCode::connect_refused);
  EXPECT_EQ(result.delivery, Delivery::none);
}

}  // namespace
}  // namespace slosonde::checks
