// Fewer runs towards a target that cannot be reached; what is not tried is missed.
#include <gmock/gmock.h>

#include "probe/engine/backoff.h"
#include "tests/unit/engine/lives.h"

namespace slosonde::engine {
namespace {

using checks::Outcome;

// How many intervals lie between one start and the next, over and over.
std::vector<int64_t> distances(Backoff& backoff, int starts, bool unreachable) {
  std::vector<int64_t> made;
  int64_t slot = 0, last = 0;
  while (static_cast<int>(made.size()) < starts) {
    ++slot;
    const Instant at = kStart + slot * 5s;
    if (!backoff.may_start(at)) continue;
    backoff.started(at);
    backoff.decided(unreachable);
    made.push_back(slot - last);
    last = slot;
  }
  return made;
}

TEST(Backoff, DoublesAfterThreeInARowUpToItsMost) {
  Backoff backoff(5s, 60s);
  EXPECT_THAT(distances(backoff, 8, true), testing::ElementsAre(1, 1, 1, 2, 4, 8, 12, 12));
  EXPECT_FALSE(backoff.may_start(kStart + 42 * 5s));
  backoff.decided(false);
  EXPECT_TRUE(backoff.may_start(kStart + 42 * 5s)) << "at once";
}

TEST(Backoff, WithoutOneEverySlotIsTried) {
  Backoff none(5s, 0s), least(5s, 5s);
  EXPECT_THAT(distances(none, 20, true), testing::Each(1));
  EXPECT_THAT(distances(least, 20, true), testing::Each(1));
}

TEST(Backoff, IsNeverLongerThanItsMostForALongTime) {
  Backoff backoff(5s, 63s);
  EXPECT_THAT(distances(backoff, 200, true), testing::Each(testing::Le(12)));
}

Plan plan_with(Duration backoff) {
  Plan plan = plan_of({console()});
  plan.transactions[0].backoff = backoff;
  plan.slos = {slo_of("up", 0)};
  return plan;
}

// Every run that starts until then is answered so.
void answer_all(Rig& rig, Instant until, const Error& error) {
  while (rig.core.next_due() < until) {
    const size_t known = rig.checks.size();
    rig.to(rig.core.next_due());
    for (size_t i = known; i < rig.checks.size(); ++i) {
      const StartCheck check = rig.checks[i];
      rig.answer(check, error ? Outcome::unreachable : Outcome::held, rig.now + 1ms, error);
    }
  }
  rig.to(until);
}

const Error kRefused{ErrorCode::connect_refused, "refused"};

TEST(CoreBackoff, WhatIsNotTriedIsMissedAndTheFirstAnswerEndsIt) {
  Rig rig(plan_with(1min));
  answer_all(rig, kStart + 30min, kRefused);
  const uint64_t bad = rig.runs(RunVerdict::bad), missed = rig.runs(RunVerdict::missed);
  EXPECT_EQ(bad + missed, 120U) << "every slot has its verdict";
  EXPECT_NEAR(static_cast<double>(bad), 33, 2);
  EXPECT_EQ(rig.runs(RunVerdict::good), 0U);
  EXPECT_EQ(rig.view()->slos[0].period.unjudged.missed, missed);
  EXPECT_GE(rig.notices(Notice::Kind::slot_missed), 1U);
  const auto told =
      std::ranges::find_if(rig.told, [](const Notice& one) { return one.kind == Notice::Kind::slot_missed; });
  ASSERT_NE(told, rig.told.end());
  EXPECT_THAT(told->text, testing::HasSubstr("backing off"));
  answer_all(rig, kStart + 60min, {});
  EXPECT_LE(rig.runs(RunVerdict::missed), missed + 3);
  EXPECT_GE(rig.runs(RunVerdict::good), 117U);
}

TEST(CoreBackoff, AWrongAnswerIsOne) {
  Rig rig(plan_with(1min));
  answer_all(rig, kStart + 30min, {ErrorCode::wrong_status, "500"});
  EXPECT_EQ(rig.runs(RunVerdict::missed), 0U);
  EXPECT_EQ(rig.runs(RunVerdict::bad), 120U);
}

TEST(CoreBackoff, AnUnchangedTransactionKeepsItOverAReloadAndARestartBeginsAnew) {
  Lives lives(plan_with(1min));
  answer_all(*lives, kStart + 30min, kRefused);
  const uint64_t bad = lives->runs(RunVerdict::bad);
  Plan next = plan_with(1min);
  next.slos[0].objective_ppb = 990'000'000;
  lives->reload(next);
  answer_all(*lives, kStart + 40min, kRefused);
  EXPECT_NEAR(static_cast<double>(lives->runs(RunVerdict::bad)), static_cast<double>(bad + 10), 1);
  lives.commit_whole();
  lives.restart(1s);
  answer_all(*lives, lives->now + 46s, kRefused);
  EXPECT_EQ(lives->runs(RunVerdict::bad), 3U) << "three in a row, before it is patient again";
}

}  // namespace
}  // namespace slosonde::engine
