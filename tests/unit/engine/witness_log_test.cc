// What the witnesses said, and whose a failure is by it.
#include "probe/engine/witness_log.h"

#include <gtest/gtest.h>

#include <chrono>

namespace slosonde::engine {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): tests read better with 5s than without
using Side = WitnessLog::Side;

const Instant kStart = instant_from_unix_ns(1'767'603'600'000'000'000);

// Two witnesses, asked every second from the start on.
struct Witnesses : testing::Test {
  WitnessLog log{2};
  Instant asked = kStart - 1s;

  // So many rounds, in which these answer; at once if they do.
  WitnessLog::Said rounds(int count, bool first, bool second) {
    WitnessLog::Said last;
    for (int i = 0; i < count; ++i) {
      asked += 1s;
      const auto at = [&](bool answers) { return asked + (answers ? 1ms : 900ms); };
      last = log.say(0, asked, first, at(first));
      const WitnessLog::Said other = log.say(1, asked, second, at(second));
      if (other.known) last = other;
    }
    return last;
  }
};

TEST(WitnessLog, WithoutWitnessesEveryFailureIsItsTargets) {
  const WitnessLog log(0);
  EXPECT_EQ(log.side(kStart, kStart + 1s, kStart + 1s), Side::theirs);
  EXPECT_EQ(log.side_of_place(kStart, kStart + 1s, kStart + 1s), Side::theirs);
  EXPECT_EQ(log.recovered_at(), kNever);
}

TEST_F(Witnesses, AFailureWaitsForTheFirstRoundAfterIt) {
  rounds(3, true, true);
  const Instant failed = asked + 400ms;
  EXPECT_EQ(log.side(failed - 100ms, failed, failed), Side::unknown);
  rounds(1, false, false);
  EXPECT_EQ(log.side(failed - 100ms, failed, asked + 900ms), Side::ours);
}

TEST_F(Witnesses, OneThatAnswersMakesItTheTargets) {
  rounds(3, true, true);
  const Instant failed = asked + 400ms;
  rounds(1, false, true);
  EXPECT_EQ(log.side(failed - 100ms, failed, asked + 1ms), Side::theirs);
  EXPECT_EQ(log.last(), (std::vector<std::optional<bool>>{false, true}));
  EXPECT_FALSE(log.silent());
}

TEST_F(Witnesses, OnlyWhenAllHaveFailedIsARoundSilent) {
  rounds(3, true, true);
  asked += 1s;
  EXPECT_FALSE(log.say(0, asked, false, asked + 900ms).known);
  EXPECT_FALSE(log.silent());
  const WitnessLog::Said said = log.say(1, asked, false, asked + 900ms);
  EXPECT_TRUE(said.known && said.turned);
  EXPECT_TRUE(log.silent());
  EXPECT_EQ(log.silent_since(), asked);
  EXPECT_FALSE(rounds(1, false, false).turned);
  EXPECT_TRUE(rounds(1, true, false).turned);
}

TEST_F(Witnesses, PatienceEndsWithTheTarget) {
  rounds(3, true, true);
  const Instant failed = asked + 400ms;
  EXPECT_EQ(log.side(failed, failed, failed + 5s - 1ns), Side::unknown);
  EXPECT_EQ(log.side(failed, failed, failed + 5s), Side::theirs);
}

TEST_F(Witnesses, WhoHasNeverAnsweredSaysNothingBySilence) {
  EXPECT_TRUE(rounds(3, false, false).known);
  EXPECT_FALSE(log.silent());
  EXPECT_EQ(log.side(kStart, asked, asked + 900ms), Side::theirs);
  rounds(1, false, true);
  rounds(1, false, false);
  EXPECT_TRUE(log.silent());
}

TEST_F(Witnesses, AShortSilenceDoesNotExplainAFailureLongAfter) {
  rounds(3, true, true);
  rounds(2, false, false);
  const Instant began = asked - 2s;
  rounds(10, true, true);
  EXPECT_EQ(log.side(began, asked, asked + 1ms), Side::theirs);
  // Most of the time since it began, and it does.
  EXPECT_EQ(log.side(began, began + 3s, asked + 1ms), Side::ours);
}

TEST_F(Witnesses, ASilenceThatBeganLaterDoesNotExplainAFailure) {
  rounds(3, true, true);
  const Instant failed = asked - 1500ms;
  rounds(2, false, false);
  EXPECT_EQ(log.side(failed - 1s, failed, asked + 900ms), Side::theirs);
}

TEST_F(Witnesses, APlaceIsOutOfOurSightUntilItCouldBeFoundAgain) {
  rounds(3, true, true);
  const Instant seen = asked;
  rounds(4, false, false);
  const Instant failed = asked, over = asked + 900ms;
  EXPECT_EQ(log.side_of_place(seen, failed, over), Side::ours);
  EXPECT_EQ(log.recovered_at(), kNever);
  rounds(60, false, false);
  const Instant end = asked + 900ms;
  EXPECT_EQ(log.side_of_place(seen, failed, end), Side::ours);
  rounds(1, true, true);
  EXPECT_EQ(log.recovered_at(), end + 15s);
  EXPECT_EQ(log.side_of_place(seen, failed, end + 15s - 1ns), Side::ours);
  EXPECT_EQ(log.side_of_place(seen, failed, end + 15s), Side::theirs);
  // A further silence does not explain a place that never came back.
  rounds(40, true, true);
  rounds(3, false, false);
  EXPECT_EQ(log.side_of_place(seen, failed, asked + 900ms), Side::theirs);
}

TEST_F(Witnesses, WhatIsForgottenIsTheTargets) {
  rounds(1, true, true);
  rounds(1, false, false);
  const Instant failed = asked;
  for (size_t i = 0; i < Coverage::kMost; ++i) {
    EXPECT_EQ(log.side(failed, failed, asked + 2s), Side::ours);
    rounds(2, true, true);
    rounds(1, false, false);
  }
  EXPECT_EQ(log.side(failed, failed, asked + 2s), Side::theirs);
}

TEST_F(Witnesses, AnAnswerToAnEarlierRoundIsNoNews) {
  rounds(2, true, true);
  rounds(1, false, false);
  EXPECT_FALSE(log.say(0, asked - 1s, true, asked + 950ms).known);
  EXPECT_TRUE(log.silent());
  EXPECT_FALSE(log.say(7, asked + 1s, true, asked + 1s).known);
}

TEST(WitnessLog, WhatHasComeOverTheNetworkIsNotTheNetworks) {
  for (const ErrorCode code : {ErrorCode::connect_refused, ErrorCode::wrong_status, ErrorCode::no_marker,
                               ErrorCode::tls_certificate, ErrorCode::rejected, ErrorCode::no_descriptors}) {
    EXPECT_FALSE(may_be_network(code)) << name(code);
  }
  for (const ErrorCode code : {ErrorCode::connect_timeout, ErrorCode::connect_failed, ErrorCode::timeout,
                               ErrorCode::connection_lost, ErrorCode::resolve_timeout, ErrorCode::unconfirmed}) {
    EXPECT_TRUE(may_be_network(code)) << name(code);
  }
}

}  // namespace
}  // namespace slosonde::engine
