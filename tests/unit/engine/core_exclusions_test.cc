// Declared maintenance windows, and suspensions.
#include <gmock/gmock.h>

#include "tests/unit/engine/lives.h"

namespace slosonde::engine {
namespace {

using checks::Outcome;
using testing::HasSubstr;

// A console, every 15 s from kStart on or so, with an SLO of a day.
Plan plan() {
  Plan made = plan_of({console()});
  made.slos = {slo_of("up", 0), slo_of("fast", 0, 0, 1s)};
  made.slos[0].window = made.slos[1].window = 24h;
  return made;
}

// Whole slots of 15 s that lie in [from, to).
uint64_t slots(Rig& rig, Instant from, Instant to) {
  const Instant next = rig.view()->transactions[0].next_due;
  const Duration phase = next.time_since_epoch() % 15s;
  const auto before = [&](Instant t) { return (t.time_since_epoch() - phase + 15s - 1ns) / 15s; };
  return static_cast<uint64_t>(before(to) - before(from));
}

void answer_all(Rig& rig, Instant until, bool good, Duration after = 1ms) {
  while (rig.core.next_due() < until) {
    const size_t known = rig.checks.size();
    rig.to(rig.core.next_due());
    for (size_t i = known; i < rig.checks.size(); ++i) {
      const StartCheck check = rig.checks[i];
      rig.answer(check, good ? Outcome::held : Outcome::unreachable, rig.now + after,
                 good ? Error{} : Error{ErrorCode::connect_refused, "refused"});
    }
  }
  rig.to(until);
}

ExclusionOrder order(std::string name, Duration lasts) {
  ExclusionOrder made;
  made.name = std::move(name);
  made.lasts = lasts;
  return made;
}

TEST(CoreExclusions, KeepWhateverHappensInThemOutOfAllFigures) {
  Plan declared = plan();
  declared.exclusions = {{"night", {}, slo::WallSpan{kStart + 10min, kStart + 30min}}};
  Rig rig(declared);
  answer_all(rig, kStart + 10min, true);
  answer_all(rig, kStart + 20min, false);
  answer_all(rig, kStart + 30min, true);
  EXPECT_TRUE(rig.view()->slos[0].period.good > 0);
  answer_all(rig, kStart + 40min, true);
  const auto view = rig.view();
  for (const SloStatus& slo : view->slos) {
    EXPECT_EQ(slo.period.good, slots(rig, kStart, kStart + 10min) + slots(rig, kStart + 30min, kStart + 40min));
    EXPECT_EQ(slo.period.bad, 0U);
    EXPECT_EQ(slo.period.unjudged.excluded_bad, slots(rig, kStart + 10min, kStart + 20min));
    EXPECT_EQ(slo.period.unjudged.excluded_good, slots(rig, kStart + 20min, kStart + 30min));
    EXPECT_EQ(slo.period.coverage, 1.0);
    EXPECT_EQ(slo.budget_remaining, 1.0);
    EXPECT_EQ(slo.period.good_share, 1.0);
    EXPECT_DOUBLE_EQ(*slo.period.good_share_with_excluded,
                     static_cast<double>(slots(rig, kStart, kStart + 40min) - slo.period.unjudged.excluded_bad) /
                         static_cast<double>(slots(rig, kStart, kStart + 40min)));
  }
  EXPECT_EQ(rig.notices(Notice::Kind::alert_fired), 0U) << "a total outage of ten minutes";
  EXPECT_EQ(rig.notices(Notice::Kind::transaction_bad), 0U);
  EXPECT_EQ(rig.runs(RunVerdict::excluded), slots(rig, kStart + 10min, kStart + 30min));
  EXPECT_EQ(rig.runs(RunVerdict::bad), 0U);
  size_t bad = 0, good = 0;
  for (const RunPtr& run : view->runs) {
    if (run->verdict != RunVerdict::excluded) continue;
    ASSERT_TRUE(run->would_be);
    bad += run->would_be == RunVerdict::bad ? 1 : 0;
    good += run->would_be == RunVerdict::good ? 1 : 0;
  }
  EXPECT_EQ(bad, slots(rig, kStart + 10min, kStart + 20min));
  EXPECT_EQ(good, slots(rig, kStart + 20min, kStart + 30min));
}

// A bad run is decided at its limit, a good one before: windows that began in between excluded the bad ones alone.
TEST(CoreExclusions, CoverARunThatTheyTouchFromDueToItsLimitWhateverBecomesOfIt) {
  Plan declared = plan();
  declared.slos.resize(1);
  Rig first(declared);
  const StartCheck check = first.next_check(0, 0);
  // The same run, with a window that begins or ends about it.
  const auto events = [&](Instant from, Instant to, Duration answered) {
    declared.exclusions = {{"w", {}, slo::WallSpan{from, to}}};
    Rig rig(declared);
    const StartCheck same = rig.next_check(0, 0);
    EXPECT_EQ(same.due, check.due);
    if (answered <= 2s) rig.hold(same, same.due + answered);
    rig.to(same.due + 3s);
    const WindowStatus& all = rig.view()->slos[0].period;
    EXPECT_EQ(all.good + all.bad + all.unjudged.excluded_good + all.unjudged.excluded_bad, 1U);
    return all.unjudged.excluded_good + all.unjudged.excluded_bad;
  };
  for (const Duration answered : {1ms, 1500ms, 2100ms}) {
    SCOPED_TRACE(format_duration(answered));
    EXPECT_EQ(events(check.due + 2s + 1ns, check.due + 1h, answered), 0U) << "it begins after the limit";
    EXPECT_EQ(events(check.due + 2s, check.due + 1h, answered), 1U);
    EXPECT_EQ(events(check.due + 500ms, check.due + 1h, answered), 1U);
  }
  EXPECT_EQ(events(check.due + 500ms, check.due + 600ms, 1s), 1U) << "wholly within the run";
  EXPECT_EQ(events(check.due - 1h, check.due + 1ns, 400ms), 1U);
  EXPECT_EQ(events(check.due - 1h, check.due, 400ms), 0U) << "it ends as the run is due";
}

TEST(CoreExclusions, OfOneTransactionLeaveTheOthersAlone) {
  Plan declared = plan_of({console(), console()});
  declared.transactions[1].name = "other";
  declared.slos = {slo_of("a", 0), slo_of("b", 1)};
  declared.exclusions = {{"night", {1}, slo::WallSpan{kStart, kStart + 1h}}};
  Rig rig(declared);
  answer_all(rig, kStart + 10min, true);
  const auto view = rig.view();
  EXPECT_EQ(view->slos[0].period.good, 40U);
  EXPECT_EQ(view->slos[0].period.unjudged.excluded, 0U);
  EXPECT_EQ(view->slos[1].period.good, 0U);
  EXPECT_EQ(view->slos[1].period.unjudged.excluded_good, 40U);
}

TEST(CoreExclusions, AMissedSlotWithinOneLowersNoCoverage) {
  Plan declared = plan();
  declared.exclusions = {{"night", {}, slo::WallSpan{kStart + 10min, kStart + 20min}},
                         {"again", {}, slo::WallSpan{kStart + 15min, kStart + 25min}}};
  Rig rig(declared);
  answer_all(rig, kStart + 5min, true);
  rig.stall_to(kStart + 40min);
  const auto view = rig.view();
  const uint64_t within = slots(rig, kStart + 10min, kStart + 25min);
  EXPECT_EQ(view->slos[0].period.unjudged.excluded, within);
  EXPECT_EQ(view->slos[1].period.unjudged.excluded, within);
  EXPECT_NEAR(static_cast<double>(view->slos[0].period.unjudged.missed), 140.0 - static_cast<double>(within), 1);
  EXPECT_EQ(rig.runs(RunVerdict::excluded), within);
  EXPECT_EQ(rig.runs(RunVerdict::missed), view->slos[0].period.unjudged.missed);
  EXPECT_EQ(rig.notices(Notice::Kind::slot_missed), 1U);
}

TEST(CoreExclusions, DeclaredToTheRunningProbeSurviveItsDeath) {
  Lives lives(plan());
  answer_all(*lives, kStart + 5min, true);
  ASSERT_TRUE(lives->core.command(lives->now, order("release", 30min)));
  answer_all(*lives, kStart + 10min, false);
  lives.commit();
  lives.restart(10min);
  EXPECT_EQ(lives->view()->slos[0].period.unjudged.missed, 0U) << "it was down within the window";
  EXPECT_GT(lives->view()->slos[0].period.unjudged.excluded, 38U);
  answer_all(*lives, kStart + 35min, false);
  EXPECT_EQ(lives->view()->slos[0].period.bad, 0U);
  answer_all(*lives, kStart + 40min, false);
  EXPECT_EQ(lives->view()->slos[0].period.bad, slots(*lives, kStart + 35min, kStart + 40min)) << "it is over";
  const auto view = lives->view();
  ASSERT_EQ(view->exclusions.size(), 1U);
  EXPECT_EQ(view->exclusions[0].name, "release");
  EXPECT_TRUE(view->exclusions[0].declared);
  EXPECT_FALSE(view->exclusions[0].active);
}

TEST(CoreExclusions, EndedOnesCoverNoMoreAndWhatWasCountedStays) {
  Lives lives(plan());
  ASSERT_TRUE(lives->core.command(lives->now, order("release", 2h)));
  answer_all(*lives, kStart + 10min, false);
  const uint64_t excluded = lives->view()->slos[0].period.unjudged.excluded_bad;
  EXPECT_EQ(excluded, slots(*lives, kStart, kStart + 10min));
  EXPECT_TRUE(lives->view()->exclusions[0].active);
  ASSERT_TRUE(lives->core.command(lives->now, EndExclusion{"release"}));
  EXPECT_FALSE(lives->view()->exclusions[0].active);
  EXPECT_FALSE(lives->core.command(lives->now, EndExclusion{"release"})) << "it is over";
  answer_all(*lives, kStart + 20min, false);
  // A clock that is set back by an hour shows the window's time again.
  lives->feed(WallStep{-1h});
  answer_all(*lives, kStart + 30min, false);
  lives.commit();
  lives.restart(1s);
  answer_all(*lives, kStart + 40min, false);
  EXPECT_EQ(lives->view()->slos[0].period.unjudged.excluded_bad, excluded);
  EXPECT_NEAR(static_cast<double>(lives->view()->slos[0].period.bad), 120, 1);
}

TEST(CoreExclusions, OneThatGaveWayToAnotherOfItsNameStillCoversWhatWasDueInIt) {
  Rig rig(plan());
  ASSERT_TRUE(rig.core.command(rig.now, order("release", 2h)));
  const StartCheck check = rig.next_check(0, 0);
  ASSERT_TRUE(rig.core.command(rig.now + 1ms, EndExclusion{"release"}));
  ExclusionOrder tomorrow = order("release", 2h);
  tomorrow.start = kStart + 24h;
  ASSERT_TRUE(rig.core.command(rig.now + 2ms, tomorrow));
  EXPECT_EQ(rig.view()->exclusions.size(), 1U);
  rig.answer(check, Outcome::unreachable, check.due + 1s, {ErrorCode::connect_refused, "refused"});
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::excluded);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 0U);
}

TEST(CoreExclusions, GoByTheWallClockAsItIsThen) {
  Plan declared = plan();
  declared.exclusions = {{"night", {}, slo::WallSpan{kStart + 2h, kStart + 3h}}};
  Rig rig(declared);
  answer_all(rig, kStart + 10min, true);
  rig.feed(WallStep{2h});
  answer_all(rig, kStart + 20min, true);
  EXPECT_EQ(rig.view()->slos[0].period.unjudged.excluded_good, slots(rig, kStart + 10min, kStart + 20min));
  rig.feed(WallStep{0h});
  answer_all(rig, kStart + 30min, true);
  EXPECT_EQ(rig.view()->slos[0].period.unjudged.excluded_good, slots(rig, kStart + 10min, kStart + 20min));
}

TEST(CoreExclusions, WeeklyOnesComeAgain) {
  const auto seoul = std::make_shared<const slo::Zone>(slo::Zone{"Asia/Seoul", {{0, 9 * 3600}}});
  Plan declared = plan();
  // kStart is a Monday, 18:00 in Seoul.
  declared.exclusions = {
      {"shift", {}, slo::WeeklyWindow{{true, true, true, true, true, true, true}, 19h, 19h + 30min, seoul}}};
  Rig rig(declared);
  answer_all(rig, kStart + 49h + 10min, true);
  EXPECT_EQ(rig.view()->slos[0].unjudged_total.excluded_good, 120U + 120U + slots(rig, kStart + 49h, rig.now));
  const auto view = rig.view();
  EXPECT_TRUE(view->exclusions[0].active);
  EXPECT_EQ(view->exclusions[0].next, (slo::WallSpan{kStart + 49h, kStart + 49h + 30min}));
}

TEST(CoreExclusions, AnAlertThatWasActiveBeforeGoesOnByItsRule) {
  Rig rig(plan());
  answer_all(rig, kStart + 2h, true);
  answer_all(rig, kStart + 2h + 10min, false);
  ASSERT_GT(rig.notices(Notice::Kind::alert_fired), 0U);
  ASSERT_TRUE(rig.core.command(rig.now, order("repair", 1h)));
  answer_all(rig, kStart + 3h + 10min, true);
  EXPECT_EQ(rig.notices(Notice::Kind::alert_resolved), 0U) << "what is excluded proves no recovery";
  answer_all(rig, kStart + 5h, true);
  EXPECT_GT(rig.notices(Notice::Kind::alert_resolved), 0U);
}

TEST(CoreExclusions, WhatCannotBeMeantIsRefused) {
  Plan declared = plan();
  declared.exclusions = {{"night", {}, slo::WallSpan{kStart + 1h, kStart + 2h}}};
  Rig rig(declared);
  const auto refused = [&](const Command& command) {
    const auto done = rig.core.command(rig.now, command);
    return done ? Error{} : done.error();
  };
  ExclusionOrder over = order("x", 1h);
  over.start = kStart - 2h;
  EXPECT_EQ(refused(over).code, ErrorCode::malformed);
  EXPECT_EQ(refused(order("x", 0s)).code, ErrorCode::malformed);
  EXPECT_EQ(refused(order("x", 31 * 24h + 1s)).code, ErrorCode::malformed);
  EXPECT_EQ(refused(order("night", 1h)).code, ErrorCode::rejected) << "the configuration has it";
  EXPECT_EQ(refused(EndExclusion{"night"}).code, ErrorCode::rejected);
  EXPECT_EQ(refused(EndExclusion{"x"}).code, ErrorCode::bad_config);
  ExclusionOrder of_nothing = order("x", 1h);
  of_nothing.transactions = {"consle"};
  EXPECT_THAT(refused(of_nothing).text, HasSubstr("consle"));
  EXPECT_EQ(refused(Suspend{"consle", true}).code, ErrorCode::bad_config);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(rig.core.command(rig.now, order("x" + std::to_string(i), 1h)));
  EXPECT_EQ(refused(order("x0", 1h)).code, ErrorCode::rejected);
  EXPECT_EQ(refused(order("one-more", 1h)).code, ErrorCode::rejected);
  ASSERT_TRUE(rig.core.command(rig.now + 1s, EndExclusion{"x7"}));
  EXPECT_TRUE(rig.core.command(rig.now + 2s, order("one-more", 1h))) << "those that are over make room";
}

// Begun again with a configuration that has one of the same name: the declared one could never be ended.
TEST(CoreExclusions, OneDeclaredUnderANameThatTheConfigurationHasNowCanStillBeEnded) {
  Lives lives(plan());
  ASSERT_TRUE(lives->core.command(lives->now, order("night", 24h)));
  lives.commit();
  Plan declared = plan();
  declared.exclusions = {{"night", {}, slo::WallSpan{kStart + 48h, kStart + 49h}}};
  lives.restart(1s, declared);
  ASSERT_TRUE(lives->view()->exclusions[1].active);
  EXPECT_TRUE(lives->core.command(lives->now + 1s, EndExclusion{"night"}));
  EXPECT_FALSE(lives->view()->exclusions[1].active);
  EXPECT_EQ(lives->core.command(lives->now + 2s, EndExclusion{"night"}).error().code, ErrorCode::rejected);
}

TEST(CoreExclusions, ThoseThatAreOverForTwoDaysAreShownAndKeptNoLonger) {
  Lives lives(plan());
  ASSERT_TRUE(lives->core.command(lives->now, order("release", 1h)));
  lives->no_more();
  lives->to(kStart + 49h - 1min);
  EXPECT_EQ(lives->view()->exclusions.size(), 1U);
  lives.commit();
  lives->to(kStart + 49h + 1min);
  EXPECT_TRUE(lives->view()->exclusions.empty());
  lives.commit();
  lives.restart(1s);
  EXPECT_TRUE(lives->view()->exclusions.empty());
}

TEST(CoreSuspensions, SlotsAreMissedAndRunsInFlightGoOn) {
  Lives lives(plan());
  const StartCheck flying = lives->next_check(0, 0);
  ASSERT_TRUE(lives->core.command(lives->now, Suspend{"console", true}));
  lives->hold(flying, flying.due + 100ms);
  const Instant begun = lives->now;
  lives->pass(10min);
  EXPECT_EQ(lives->runs(RunVerdict::good), 1U);
  EXPECT_EQ(lives->runs(RunVerdict::missed), 40U);
  EXPECT_EQ(lives->view()->slos[0].period.unjudged.missed, 40U) << "a suspended probe is not silent: coverage falls";
  EXPECT_TRUE(lives->view()->transactions[0].suspended_since);
  EXPECT_EQ(lives->notices(Notice::Kind::suspended), 1U);
  const auto missed =
      std::ranges::find_if(lives->told, [](const Notice& one) { return one.kind == Notice::Kind::slot_missed; });
  ASSERT_NE(missed, lives->told.end());
  EXPECT_THAT(missed->text, HasSubstr("suspended"));
  lives.commit();
  lives.restart(1min);
  ASSERT_TRUE(lives->view()->transactions[0].suspended_since);
  EXPECT_LE(*lives->view()->transactions[0].suspended_since, begun);
  const size_t known = lives->checks.size();
  lives->pass(10min);
  EXPECT_EQ(lives->checks.size(), known);
  ASSERT_TRUE(lives->core.command(lives->now, Suspend{"", false}));
  EXPECT_FALSE(lives->view()->transactions[0].suspended_since);
  lives->pass(15s);
  EXPECT_EQ(lives->checks.size(), known + 1);
  lives.commit();
  lives.restart(1s);
  EXPECT_FALSE(lives->view()->transactions[0].suspended_since);
}

TEST(CoreExclusions, AndSuspensionsGoOnUnderAnotherPlan) {
  Rig rig(plan());
  ASSERT_TRUE(rig.core.command(rig.now, order("release", 1h)));
  answer_all(rig, kStart + 5min, true);
  ASSERT_TRUE(rig.core.command(rig.now, Suspend{"console", true}));
  Plan next = plan_of({write_and_read(), console()});
  next.slos = {slo_of("up", 1)};
  next.slos[0].window = 24h;
  next.exclusions = {{"night", {0}, slo::WallSpan{kStart + 1h, kStart + 2h}}};
  rig.reload(next);
  EXPECT_TRUE(rig.view()->transactions[1].suspended_since);
  EXPECT_FALSE(rig.view()->transactions[0].suspended_since);
  ASSERT_EQ(rig.view()->exclusions.size(), 2U);
  EXPECT_EQ(rig.view()->exclusions[1].name, "release");
  EXPECT_TRUE(rig.view()->exclusions[1].active);
  rig.pass(5min);
  EXPECT_EQ(rig.view()->slos[0].period.unjudged.missed, 0U);
  EXPECT_EQ(rig.view()->slos[0].period.unjudged.excluded, 40U) << "20 runs and 20 slots that were not started";
}

// The work is done before the window is over, and it is taken out: what was lost by the work is decided only now.
TEST(CoreExclusions, AWindowThatAReloadTakesOutStillCoversWhatWasDueInIt) {
  Plan declared = plan();
  declared.exclusions = {{"night", {}, slo::WallSpan{kStart, kStart + 2h}}};
  Rig rig(declared);
  const StartCheck check = rig.next_check(0, 0);
  rig.pass(1s);
  rig.reload(plan());
  EXPECT_TRUE(rig.view()->exclusions.empty());
  rig.to(check.due + 3s);  // its limit has passed
  EXPECT_EQ(rig.view()->slos[0].period.bad, 0U);
  EXPECT_EQ(rig.view()->slos[0].period.unjudged.excluded_bad, 1U);
  answer_all(rig, rig.now + 10min, false);
  EXPECT_NEAR(static_cast<double>(rig.view()->slos[0].period.bad), 40, 1) << "what is due from then on counts";
}

TEST(CoreExclusions, EndedOnesStayEndedWhereTheClockWasSetBackBetweenTwoProcesses) {
  Lives lives(plan());
  ASSERT_TRUE(lives->core.command(lives->now, order("release", 3h)));
  answer_all(*lives, kStart + 2h, true);
  ASSERT_TRUE(lives->core.command(lives->now, EndExclusion{"release"}));
  lives.commit();
  lives.restart(-1h);
  const uint64_t excluded = lives->view()->slos[0].period.unjudged.excluded;
  answer_all(*lives, lives->now + 10min, true);
  EXPECT_EQ(lives->view()->slos[0].period.unjudged.excluded, excluded);
}

TEST(CoreSuspensions, OutliveThatTheirTransactionIsAway) {
  Rig rig(plan());
  ASSERT_TRUE(rig.core.command(rig.now, Suspend{"console", true}));
  rig.reload(plan_of({write_and_read()}));
  rig.reload(plan());
  EXPECT_TRUE(rig.view()->transactions[0].suspended_since);
  rig.reload(plan_of({write_and_read()}));
  ASSERT_TRUE(rig.core.command(rig.now, Suspend{"", false})) << "all, also those that are away";
  rig.reload(plan());
  EXPECT_FALSE(rig.view()->transactions[0].suspended_since);
}

TEST(CoreCoverage, TheAlertFiresWhenHalfOfFiveMinutesCouldNotBeJudgedAndResolvesWithSight) {
  Lives lives(plan());
  const auto coverage = [&] { return lives->view()->slos[0].alerts.back(); };
  answer_all(*lives, kStart + 20min, true);
  EXPECT_EQ(coverage().tier, "coverage");
  EXPECT_EQ(coverage().long_window, Duration(5min));
  EXPECT_FALSE(coverage().active);
  ASSERT_TRUE(lives->core.command(lives->now, Suspend{"", true}));
  lives->pass(2min);
  EXPECT_FALSE(coverage().active);
  lives->pass(1min);
  ASSERT_TRUE(coverage().active) << "a suspended probe must not be silent";
  EXPECT_EQ(lives->view()->slos[0].period.bad, 0U);
  const auto fired =
      std::ranges::find_if(lives->told, [](const Notice& one) { return one.kind == Notice::Kind::alert_fired; });
  ASSERT_NE(fired, lives->told.end());
  EXPECT_THAT(fired->text, HasSubstr("could not be judged in 5m"));
  lives.commit();
  lives.restart(1s);
  EXPECT_TRUE(coverage().active) << "it goes on after a restart";
  lives->pass(20min);
  EXPECT_TRUE(coverage().active) << "and for as long as nothing is judged";
  ASSERT_TRUE(lives->core.command(lives->now, Suspend{"", false}));
  answer_all(*lives, lives->now + 2min, true);
  EXPECT_TRUE(coverage().active);
  answer_all(*lives, lives->now + 1min, true);
  EXPECT_FALSE(coverage().active);
}

TEST(CoreCoverage, OneBlindRunOfAFreshProbeIsNoAlertAndWhatIsExcludedNeitherIsOne) {
  Plan declared = plan();
  declared.exclusions = {{"night", {}, slo::WallSpan{kStart + 10min, kStart + 60min}}};
  Rig rig(declared);
  rig.stall_to(kStart + 1min);
  EXPECT_FALSE(rig.view()->slos[0].alerts.back().active);
  answer_all(rig, kStart + 10min, true);
  ASSERT_TRUE(rig.core.command(rig.now, Suspend{"", true}));
  rig.pass(50min - 1s);
  EXPECT_FALSE(rig.view()->slos[0].alerts.back().active);
  rig.pass(5min);
  EXPECT_TRUE(rig.view()->slos[0].alerts.back().active);
}

}  // namespace
}  // namespace slosonde::engine
