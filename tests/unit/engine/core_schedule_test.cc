#include <set>

#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

TEST(CoreSchedule, SlotsLieOnAGridThatDoesNotDependOnTheStart) {
  std::set<int64_t> phases;
  for (const Duration later : {0s, 2s, 1234s}) {
    Rig rig(plan_of({console()}), {.start = kStart + later, .epoch = kEpoch});
    const Instant first = rig.next_check(0, 0).due, second = rig.next_check(0, 0).due;
    EXPECT_GE(first, kStart + later);
    EXPECT_LT(first, kStart + later + 15s);
    EXPECT_EQ(second - first, 15s);
    phases.insert((first.time_since_epoch() % 15s).count());
  }
  EXPECT_EQ(phases.size(), 1u);
}

TEST(CoreSchedule, TransactionsAndProbesDoNotBeatInStep) {
  std::set<int64_t> phases;
  for (const char* probe : {"a", "b", "c"}) {
    for (const char* name : {"x", "y", "z"}) {
      Plan plan = plan_of({console()});
      plan.probe = probe;
      plan.transactions[0].name = name;
      Rig rig(plan);
      phases.insert((rig.next_check(0, 0).due.time_since_epoch() % 15s).count());
    }
  }
  EXPECT_EQ(phases.size(), 9u);
}

TEST(CoreSchedule, ASlowRunDoesNotDelayTheNext) {
  Rig rig(plan_of({log_to_alert()}));
  const Instant first = rig.next_check(0, 0).due;
  for (int i = 1; i < 12; ++i) EXPECT_EQ(rig.next_check(0, 0).due, first + 5s * i);
}

TEST(CoreSchedule, AtMostMaxInFlightAndTheOthersAreMissed) {
  TransactionPlan plan = log_to_alert();
  plan.max_in_flight = 4;
  plan.stages[0].within = 59s;  // nothing is decided before
  Rig rig(plan_of({plan}));
  const Instant first = rig.next_check(0, 0).due;
  rig.to(first + 57s);
  EXPECT_EQ(rig.started.size(), 4u);
  EXPECT_EQ(rig.runs(RunVerdict::missed), 8u);
  EXPECT_EQ(rig.notices(Notice::Kind::slot_missed), 1u);  // one line for a streak
  rig.to(first + 75s);
  EXPECT_GT(rig.started.size(), 4u);  // room again
}

TEST(CoreSchedule, ASlotThatWouldStartTooLateIsMissedAndNotBad) {
  Rig rig(plan_of({console()}));
  const Instant first = rig.next_check(0, 0).due;
  rig.hold(rig.checks.back(), first + 1ms);
  rig.stall_to(first + 15s + 1001ms);
  EXPECT_EQ(rig.started.size(), 1u);
  EXPECT_EQ(rig.runs(RunVerdict::missed), 1u);
  rig.stall_to(first + 30s + 1s);  // just in time
  EXPECT_EQ(rig.started.size(), 2u);
  EXPECT_EQ(rig.checks.back().due, first + 30s);
  EXPECT_EQ(rig.view()->start_lateness.count(), 2u);
  EXPECT_NEAR(rig.view()->start_lateness.sum, 1.0, 1e-9);
}

TEST(CoreSchedule, ASlotWhoseShortLimitIsHalfGoneIsMissedAndNotBad) {
  TransactionPlan quick = console();
  quick.stages = {act("up", 200ms)};  // shorter than max_lateness
  for (const Duration stall : {Duration(101ms), Duration(200ms), Duration(999ms)}) {
    Rig rig(plan_of({quick}));
    const Instant first = rig.next_check(0, 0).due;
    rig.hold(rig.checks.back(), first + 1ms);
    rig.stall_to(first + 15s + stall);
    EXPECT_EQ(rig.started.size(), 1u) << format_duration(stall);
    EXPECT_EQ(rig.runs(RunVerdict::missed), 1u) << format_duration(stall);
    rig.pass(1s);
    EXPECT_EQ(rig.runs(RunVerdict::bad), 0u) << format_duration(stall);
  }
}

TEST(CoreSchedule, AStallOfAMinuteMissesExactlyItsSlotsAndStartsNoBurst) {
  Rig rig(plan_of({log_to_alert()}));
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  rig.arrive(0, check.marker, 1, check.due + 2ms);
  rig.arrive(1, check.marker, 1, check.due + 3ms);
  rig.stall_to(check.due + 60s + 500ms);  // slots at 5, 10 … 60 s: the last one may still start
  EXPECT_EQ(rig.runs(RunVerdict::missed), 11u);
  EXPECT_EQ(rig.started.size(), 2u);
  EXPECT_EQ(rig.runs(RunVerdict::bad), 0u);
  EXPECT_EQ(rig.checks.back().due, check.due + 60s);
}

TEST(CoreSchedule, AYearOfMissedSlotsIsCountedWithoutRemembering) {
  Plan plan = plan_of({console()});
  plan.slos = {slo_of("up", 0)};
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  const Duration year = 24h * 365;
  rig.stall_to(check.due + year - 1s);
  const auto slots = static_cast<uint64_t>(year / 15s) - 1;
  EXPECT_EQ(rig.runs(RunVerdict::missed), slots);
  const SloStatus slo = rig.view()->slos[0];
  EXPECT_EQ(slo.unjudged_total.missed, slots);
  EXPECT_EQ(slo.good_total, 1u);
  // Of the last 30 days only, each in its own minute.
  EXPECT_NEAR(static_cast<double>(slo.period.unjudged.missed), 30 * 24 * 240, 6);
  EXPECT_EQ(slo.period.good, 0u);
  EXPECT_EQ(rig.started.size(), 1u);
}

TEST(CoreSchedule, TwoSlotsWithinTheLoopsOwnGrainAreBothStarted) {
  TransactionPlan fast = console();
  fast.every = 1ms;
  fast.max_in_flight = 100'000;
  Rig rig(plan_of({fast}));
  const Instant first = rig.next_check(0, 0).due;
  rig.stall_to(first + 5ms);
  EXPECT_EQ(rig.started.size(), 6u);
  EXPECT_EQ(rig.runs(RunVerdict::missed), 0u);
  rig.stall_to(first + 105ms);  // 100 more are due: the last 11 are within 10 ms
  EXPECT_EQ(rig.started.size(), 17u);
  EXPECT_EQ(rig.runs(RunVerdict::missed), 89u);
}

TEST(CoreSchedule, TheFirstRunWaitsForTheWatchesAndNothingIsMissed) {
  Rig rig(plan_of({log_to_alert(), console()}));
  Rig late(plan_of({log_to_alert(), console()}));
  EXPECT_TRUE(rig.core.ready());
  Rig waiting(plan_of({log_to_alert(), console()}), {.start = kStart - 1h, .epoch = kEpoch});
  // A core whose watches have said nothing yet.
  Core core(rig.plan, {.start = kStart, .epoch = kEpoch});
  Outputs outputs;
  const auto advance_to = [&](Instant t) {
    while (core.next_due() <= t) core.advance(core.next_due(), outputs);
    core.advance(t, outputs);
  };
  advance_to(kStart + 2min);
  const auto starts = [&](uint32_t transaction) {
    return std::count_if(outputs.begin(), outputs.end(), [&](const Output& one) {
      const auto* started = std::get_if<RunStarted>(&one);
      return started && started->run.transaction == transaction;
    });
  };
  EXPECT_FALSE(core.ready());
  EXPECT_EQ(starts(0), 0);
  EXPECT_EQ(starts(1), 8);  // it has no watch to wait for
  core.feed(kStart + 2min, Covered{0, kStart + 2min, kStart + 2min});
  advance_to(kStart + 3min);
  EXPECT_EQ(starts(0), 0);
  core.feed(kStart + 3min, Covered{1, kStart + 3min, kStart + 3min});
  EXPECT_TRUE(core.ready());
  advance_to(kStart + 4min);
  EXPECT_EQ(starts(0), 12);
  EXPECT_EQ(core.snapshot(kStart + 4min)->transactions[0].verdicts[static_cast<size_t>(RunVerdict::missed)], 0u);
}

// Else an outage that begins with our start is told as missed slots, and pages `settle` later.
TEST(CoreSchedule, TheFirstRunDoesNotWaitForAPlaceThatFails) {
  Plan plan = plan_of({log_to_alert()});
  plan.slos = {slo_of("run", 0)};
  Core core(std::make_shared<const Plan>(plan), {.start = kStart, .epoch = kEpoch});
  Outputs outputs;
  const auto starts_by = [&](Instant t) {
    while (core.next_due() <= t) core.advance(core.next_due(), outputs);
    core.advance(t, outputs);
    return std::ranges::count_if(outputs, [](const Output& one) { return std::holds_alternative<RunStarted>(one); });
  };
  core.feed(kStart, Covered{1, kStart, kStart});
  core.feed(kStart, OutOfSight{0, {ErrorCode::no_descriptors, "our own fault is waited out"}});
  EXPECT_EQ(starts_by(kStart + 10s), 0);
  core.feed(kStart + 10s, OutOfSight{0, {ErrorCode::connect_refused, "nothing listens there"}});
  EXPECT_EQ(starts_by(kStart + 20s), 2);
  (void)starts_by(kStart + 60s);
  EXPECT_GT(core.snapshot(kStart + 60s)->slos[0].bad_total, 0U);
}

TEST(CoreSchedule, TheFirstRunWaitsAtMostSettle) {
  Plan plan = plan_of({log_to_alert()});
  plan.settle = 1min;
  Core core(std::make_shared<const Plan>(plan), {.start = kStart, .epoch = kEpoch});
  Outputs outputs;
  while (core.next_due() <= kStart + 66s && outputs.empty()) core.advance(core.next_due(), outputs);
  ASSERT_FALSE(outputs.empty());
  const auto& check = std::get<StartCheck>(outputs[1]);
  EXPECT_GE(check.due, kStart + 60s);
  EXPECT_LT(check.due, kStart + 65s);
  EXPECT_TRUE(core.ready());
}

TEST(CoreSchedule, DrainingStartsNothingMoreAndFinishesWhatRuns) {
  Rig rig(plan_of({console()}));
  const StartCheck check = rig.next_check(0, 0);
  rig.feed(Drain{});
  EXPECT_EQ(rig.core.in_flight(), 1u);
  rig.feed(Trigger{0});
  rig.hold(check, check.due + 10ms);
  EXPECT_EQ(rig.core.in_flight(), 0u);
  rig.pass(1h);
  EXPECT_EQ(rig.started.size(), 1u);
  EXPECT_EQ(rig.runs(RunVerdict::missed), 0u);
  EXPECT_TRUE(rig.view()->draining);
}

TEST(CoreSchedule, ATriggeredRunStartsAtOnceAndCountsNowhere) {
  Plan plan = plan_of({log_to_alert()});
  plan.slos = {slo_of("alert", 0, 2), slo_of("fast", 0, 1, 13s)};
  Rig rig(plan, {.start = kStart, .epoch = kEpoch, .schedule = false});
  rig.pass(1h);
  EXPECT_TRUE(rig.started.empty());
  rig.feed(Trigger{0});
  ASSERT_EQ(rig.started.size(), 1u);
  EXPECT_EQ(rig.started[0].origin, Origin::triggered);
  const StartCheck check = rig.next_check(0, 0);
  EXPECT_EQ(check.due, rig.now);
  rig.hold(check, rig.now + 5ms);
  rig.arrive(0, check.marker, 1, rig.now + 10ms);
  rig.arrive(0, check.marker, 2, rig.now + 10ms);
  rig.pass(3min);  // the alert is lost
  ASSERT_EQ(rig.closed.size(), 1u);
  EXPECT_EQ(rig.closed[0]->verdict, RunVerdict::bad);
  EXPECT_EQ(rig.closed[0]->stages[2].verdict, StageVerdict::lost);
  const auto view = rig.view();
  for (const uint64_t count : view->transactions[0].verdicts) EXPECT_EQ(count, 0u);
  for (const StageStats& stage : view->transactions[0].stages) {
    for (const uint64_t count : stage.verdicts) EXPECT_EQ(count, 0u);
    for (const uint64_t count : stage.sightings) EXPECT_EQ(count, 0u);
    EXPECT_EQ(stage.latency.count() + stage.hop.count(), 0u);
  }
  for (const SloStatus& slo : view->slos) EXPECT_EQ(slo.good_total + slo.bad_total, 0u);
  EXPECT_TRUE(rig.told.empty());
}

TEST(CoreSchedule, TriggeredRunsAreBounded) {
  Rig rig(plan_of({console()}), {.start = kStart, .epoch = kEpoch, .schedule = false});
  for (int i = 0; i < 100; ++i) rig.feed(Trigger{0});
  EXPECT_EQ(rig.started.size(), 16u);
  rig.pass(1min);
  rig.feed(Trigger{0});
  EXPECT_EQ(rig.started.size(), 17u);
}

}  // namespace
}  // namespace slosonde::engine
