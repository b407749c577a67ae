// What came late because we stood still, or nothing of ours listened.
#include <gtest/gtest.h>

#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

Plan journey() {
  return plan_of({log_to_alert()});
}

// The answer lay in the socket meanwhile.
TEST(CoreOwnBreak, ALatencyThatIsOverWhileWeStoodStillIsNoEvent) {
  Plan plan = journey();
  plan.slos = {slo_of("fast", 0, 0, 100ms)};
  plan.max_lateness = 500ms;
  for (const bool ours : {false, true}) {
    Rig rig(plan);
    const StartCheck check = rig.next_check(0, 0);
    rig.to(check.due + 50ms);
    const Instant back = check.due + (ours ? 700ms : 550ms);
    rig.core.feed(back, CheckDone{check.run, false, 0, 0, Rig::result(checks::Outcome::held, check.due, back)});
    rig.stall_to(back);
    EXPECT_EQ(rig.run(check)->stages[0].verdict, StageVerdict::on_time);
    EXPECT_EQ(rig.view()->slos[0].bad_total, ours ? 0u : 1u);
    EXPECT_EQ(rig.view()->slos[0].unjudged_total.probe_fault, ours ? 1u : 0u);
  }
}

// Its sender may have been turned away while nothing of ours listened.
TEST(CoreOwnBreak, WhatIsSentAgainAfterABreakOfOurOwnSightIsUnseenAndNotLate) {
  const Plan plan = journey();
  for (const bool may_be_again : {false, true}) {
    Rig rig(plan);
    const StartCheck check = rig.next_check(0, 0);
    rig.hold(check, check.due + 10ms);
    rig.arrive(0, check.marker, 1, check.due + 1s);
    rig.to(check.due + 50s);
    rig.blind(1, {ErrorCode::io_failed, "nothing listens"});
    rig.to(check.due + 70s);
    rig.covered_to[1] = rig.now;
    rig.in_sight[1] = true;
    rig.to(check.due + 75s);
    rig.feed(EvidenceSeen{1, {check.marker, 1, rig.now, rig.now, checks::EvidencePhase::none, may_be_again}});
    const auto run = rig.run(check);
    EXPECT_EQ(run->stages[2].verdict, may_be_again ? StageVerdict::unseen : StageVerdict::late);
    if (may_be_again) {
      EXPECT_EQ(run->stages[2].seen_lo, check.due + 50s + 1ns);
    }
    // One that was due since is late, whatever was broken before.
    StartCheck after = rig.next_check(0, 0);
    while (after.due <= check.due + 70s) after = rig.next_check(0, 0);
    rig.hold(after, after.due + 10ms);
    rig.to(after.due + 61s);
    rig.feed(EvidenceSeen{1, {after.marker, 2, rig.now, rig.now, checks::EvidencePhase::none, may_be_again}});
    EXPECT_EQ(rig.run(after)->stages[2].verdict, StageVerdict::late);
  }
}

}  // namespace
}  // namespace slosonde::engine
