// Another plan while runs are in flight: what is the same goes on, what is not begins anew, and nothing is lost or
// counted twice.
#include <gmock/gmock.h>

#include "tests/unit/engine/lives.h"

namespace slosonde::engine {
namespace {

using testing::HasSubstr;

std::string payload_of(const StartCheck& check) {
  return check.marker + " " + check.payload;
}

Plan both() {
  Plan plan = plan_of({log_to_alert(), console()});
  plan.slos = {slo_of("delivered", 0, 2), slo_of("fast", 0, 1, 13s), slo_of("up", 1)};
  return plan;
}

// The same in another order: every index differs, and nothing else.
Plan turned_round() {
  TransactionPlan journey = log_to_alert();
  journey.stages[1].watch = 1;
  journey.stages[2].watch = 0;
  Plan plan = plan_of({console(), journey});
  std::swap(plan.watches[0], plan.watches[1]);
  plan.slos = {slo_of("up", 0), slo_of("fast", 1, 1, 13s), slo_of("delivered", 1, 2)};
  return plan;
}

StartCheck under(StartCheck check, const Succession& kept) {
  check.run.transaction = *kept.transactions[check.run.transaction];
  return check;
}

SloStatus status_of(const Snapshot& shown, const std::string& slo) {
  for (size_t i = 0; i < shown.slos.size(); ++i) {
    if (shown.plan->slos[i].name == slo) return shown.slos[i];
  }
  ADD_FAILURE() << "no SLO " << slo;
  return shown.slos.at(0);
}

TEST(CoreReload, AnActUnderWayAndItsEvidenceFindTheRunUnderItsNewIndex) {
  Rig rig(both());
  const StartCheck before = rig.next_check(0, 0);
  const Succession kept = rig.reload(turned_round());
  EXPECT_TRUE(rig.cancels.empty());
  const StartCheck ingest = under(before, kept);
  EXPECT_EQ(ingest.run.transaction, 1U);
  rig.hold(ingest, rig.now + 100ms);
  rig.arrive(1, payload_of(ingest), 1, rig.now + 1s);
  rig.arrive(0, payload_of(ingest), 2, rig.now + 1s);
  EXPECT_EQ(rig.run(ingest)->verdict, RunVerdict::good);
  EXPECT_EQ(rig.run(ingest)->id, ingest.run);
  EXPECT_EQ(rig.runs(RunVerdict::good, 1), 1U);
  EXPECT_EQ(status_of(*rig.view(), "delivered").good_total, 1U);
  EXPECT_EQ(status_of(*rig.view(), "fast").good_total, 1U);
  EXPECT_EQ(rig.notices(Notice::Kind::history_anew), 0U);
}

TEST(CoreReload, NoSlotOfAnUnchangedTransactionIsLeftOutOrStartedTwice) {
  Rig rig(both());
  std::vector<Instant> due;
  rig.next_check(0, 0);
  for (int i = 0; i < 40; ++i) {
    rig.pass(1300ms);
    rig.reload(i % 2 == 0 ? turned_round() : both());
  }
  for (const StartCheck& check : rig.checks) {
    if (check.stage == 0 && check.deadline == check.due + 2s) due.push_back(check.due);
  }
  std::ranges::sort(due);
  std::vector<Instant> five;
  for (const Instant t : due) {
    if ((t - due.front()) % 5s == 0ns) five.push_back(t);
  }
  ASSERT_GE(five.size(), 10U);
  for (size_t i = 1; i < five.size(); ++i) ASSERT_EQ(five[i] - five[i - 1], 5s);
  EXPECT_EQ(rig.runs(RunVerdict::missed, 0), 0U);
  EXPECT_EQ(rig.runs(RunVerdict::missed, 1), 0U);
}

TEST(CoreReload, RunsOfAChangedTransactionAreProbeFaultsAndAreCounted) {
  Rig rig(both());
  const StartCheck first = rig.next_check(0, 0);
  rig.hold(first, rig.now + 100ms);
  const StartCheck second = rig.next_check(0, 0);
  rig.forget();
  Plan next = both();
  next.transactions[0].stages[2].within = 50s;
  rig.reload(next);
  ASSERT_EQ(rig.cancels.size(), 1U) << "the act of the second was under way";
  EXPECT_EQ(rig.cancels[0].run, second.run);
  EXPECT_EQ(rig.closed.size(), 2U);
  for (const auto& run : rig.closed) EXPECT_EQ(run->verdict, RunVerdict::probe_fault);
  EXPECT_EQ(rig.runs(RunVerdict::probe_fault), 2U) << "its counters go on";
  EXPECT_EQ(rig.notices(Notice::Kind::runs_cut), 1U);
  EXPECT_EQ(status_of(*rig.view(), "fast").unjudged_total.probe_fault, 2U) << "its SLI is the same as before";
  EXPECT_EQ(status_of(*rig.view(), "fast").period.unjudged.probe_fault, 2U);
  EXPECT_EQ(status_of(*rig.view(), "delivered").period.unjudged.probe_fault, 0U) << "another limit is another SLI";
  EXPECT_EQ(rig.notices(Notice::Kind::history_anew), 1U);
  // Evidence of a run that is closed is stale.
  rig.arrive(0, payload_of(second), 1, rig.now + 1s);
  EXPECT_EQ(rig.sightings(1, Sighting::stale), 1U);
  EXPECT_EQ(rig.runs(RunVerdict::bad), 0U);
}

TEST(CoreReload, AChangedTransactionGoesOnWithItsSlots) {
  Rig rig(both());
  const StartCheck last = rig.next_check(0, 0);
  Plan next = both();
  next.transactions[0].stages[0].definition = "http another";
  rig.reload(next);
  const StartCheck fresh = [&] {
    for (;;) {
      const StartCheck check = rig.next_check(0, 0);
      if (check.due > last.due) return check;
    }
  }();
  EXPECT_EQ(fresh.due, last.due + 5s);
  EXPECT_NE(fresh.marker, last.marker);
  EXPECT_EQ(rig.runs(RunVerdict::missed), 0U);
}

TEST(CoreReload, SlotsForWhichANewWatchIsNotReadyAreMissed) {
  Rig rig(both());
  const StartCheck last = rig.next_check(0, 0);
  Plan next = both();
  next.watches[0].name = "kafka others";
  rig.reload(next, false);
  rig.to(last.due + 12s);
  rig.in_sight[0] = true;
  rig.feed(Covered{0, rig.now, rig.now});
  rig.forget();
  EXPECT_EQ(rig.next_check(0, 0).due, last.due + 15s);
  EXPECT_EQ(rig.runs(RunVerdict::missed), 2U);
}

// Whoever sends it traffic, or rolls it out, would take the probe for broken.
TEST(CoreReload, AProbeThatWasReadyStaysReadyWithAWatchThatHasNotReportedYet) {
  Rig rig(both());
  ASSERT_TRUE(rig.core.ready());
  Plan next = both();
  next.watches.push_back({"kafka more", "kafka"});
  next.transactions[1].stages.push_back(watched("seen", 5s, 2));
  rig.reload(next, false);
  EXPECT_TRUE(rig.core.ready());
  EXPECT_TRUE(rig.view()->ready);
}

TEST(CoreReload, WhatWasBadBeforeStaysBad) {
  Plan plan = both();
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, rig.now + 100ms);
  rig.pass(31s);  // incident is missing by now
  Plan next = both();
  next.transactions.erase(next.transactions.begin());
  next.slos = {slo_of("up", 0)};
  rig.forget();
  rig.reload(next);
  const auto found = std::ranges::find_if(rig.closed, [&](const auto& run) { return run->marker == check.marker; });
  ASSERT_NE(found, rig.closed.end());
  EXPECT_EQ((*found)->verdict, RunVerdict::bad);
  EXPECT_EQ((*found)->stages[1].verdict, StageVerdict::lost);
  EXPECT_EQ((*found)->stages[2].verdict, StageVerdict::unseen);
}

TEST(CoreReload, TheCleanUpOfARunThatIsCutIsBegunAllTheSame) {
  TransactionPlan t = log_to_alert();
  t.finally = {act("close", 1s), act("remove", 1s)};
  Plan plan = plan_of({t});
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, rig.now + 100ms);
  rig.forget();
  plan.transactions[0].linger = 61s;
  rig.reload(plan);
  std::vector<uint32_t> steps;
  for (const StartCheck& one : rig.checks) {
    if (one.finally && one.marker == check.marker) steps.push_back(one.stage);
  }
  EXPECT_THAT(steps, testing::ElementsAre(0, 1));
  EXPECT_EQ(rig.core.in_flight(), 0U);
}

TEST(CoreReload, AChangedObjectiveOrWindowKeepsTheHistoryAndAChangedSliDoesNot) {
  Rig rig(both());
  for (int i = 0; i < 6; ++i) {
    const StartCheck check = rig.next_check(1, 0);
    if (i % 2 == 0) {
      rig.hold(check, rig.now + 10ms);
    } else {
      rig.answer(check, checks::Outcome::refused, rig.now + 10ms, {ErrorCode::rejected, "no"});
    }
  }
  Plan next = both();
  next.slos[2].objective_ppb = 950'000'000;
  next.slos[2].window = 24h * 7;
  rig.reload(next);
  const SloStatus kept = status_of(*rig.view(), "up");
  EXPECT_EQ(kept.period.good, 3U);
  EXPECT_EQ(kept.period.bad, 3U);
  EXPECT_EQ(kept.good_total, 3U);
  EXPECT_EQ(kept.bad_total, 3U);
  EXPECT_EQ(kept.since, kStart);
  EXPECT_EQ(rig.notices(Notice::Kind::history_anew), 0U);

  next.transactions[1].stages[0].within = 1s;
  rig.reload(next);
  const SloStatus fresh = status_of(*rig.view(), "up");
  EXPECT_EQ(fresh.period.good + fresh.period.bad, 0U);
  EXPECT_EQ(fresh.good_total, 0U);
  EXPECT_GE(fresh.since, rig.now);
  EXPECT_EQ(rig.notices(Notice::Kind::history_anew), 1U);
  EXPECT_EQ(rig.runs(RunVerdict::good, 1), 3U) << "the transaction's own counters go on";
  EXPECT_EQ(rig.stages(0, StageVerdict::failed, 1), 3U);
}

// A period of an hour is counted by tens of seconds, one of a month by minutes.
TEST(CoreReload, AWindowThatIsCountedByOtherSlotsKeepsTheHistory) {
  Plan shorter = both();
  shorter.slos[2].window = 1h;
  Rig rig(shorter);
  for (int i = 0; i < 6; ++i) rig.hold(rig.next_check(1, 0), rig.now + 10ms);
  rig.reload(both());
  EXPECT_EQ(status_of(*rig.view(), "up").period.good, 6U);
  rig.reload(shorter);
  EXPECT_EQ(status_of(*rig.view(), "up").period.good, 6U);
}

// The windows of a day count the last 144 minutes by tens of seconds, those of a month six hours: what had gone bad
// was read as a share of the 144 minutes, and paged.
TEST(CoreReload, AWindowMadeLongerDoesNotPageForASixthOfWhatItHasSeen) {
  Plan month = both();
  month.slos[2].objective_ppb = 990'000'000;
  month.slos[2].min_bad = 2;
  Plan day = month;
  day.slos[2].window = 24h;
  const auto live = [&](auto& rig) {
    for (int i = 0; i < 2000; ++i) rig.hold(rig.next_check(1, 0), rig.now + 10ms);
    for (int i = 0; i < 60; ++i) {
      rig.answer(rig.next_check(1, 0), checks::Outcome::refused, rig.now + 10ms, {ErrorCode::rejected, "no"});
    }
    rig.to(instant_from_unix_ns(unix_ns(rig.now) / 60'000'000'000 * 60'000'000'000) + 1min);
  };
  const auto expect_same = [](const SloStatus& is, const SloStatus& all_along) {
    ASSERT_EQ(is.windows.size(), all_along.windows.size());
    for (size_t i = 0; i < is.windows.size(); ++i) {
      SCOPED_TRACE(format_duration(is.windows[i].window));
      EXPECT_EQ(is.windows[i].good, all_along.windows[i].good);
      EXPECT_EQ(is.windows[i].bad, all_along.windows[i].bad);
    }
    ASSERT_EQ(is.alerts[1].tier, "6x6h");
    EXPECT_FALSE(all_along.alerts[1].active);
    EXPECT_FALSE(is.alerts[1].active);
  };
  Rig monthly(month), reloaded(day);
  Lives lives(day);
  live(monthly);
  live(reloaded);
  reloaded.reload(month);
  expect_same(status_of(*reloaded.view(), "up"), status_of(*monthly.view(), "up"));
  lives.commit();
  live(*lives);
  lives.commit();
  lives.restart(0s, month);
  expect_same(status_of(*lives->view(), "up"), status_of(*monthly.view(), "up"));
}

TEST(CoreReload, AnSloThatWasLeftOutByMistakeGoesOnWhenItIsBack) {
  Rig rig(both());
  rig.hold(rig.next_check(1, 0), rig.now + 10ms);
  rig.hold(rig.next_check(1, 0), rig.now + 10ms);
  Plan without = both();
  without.slos.pop_back();
  rig.reload(without);
  rig.pass(1h);
  rig.reload(both());
  EXPECT_EQ(status_of(*rig.view(), "up").period.good, 2U);
  EXPECT_EQ(status_of(*rig.view(), "up").since, kStart);
}

TEST(CoreReload, AnAlertThatFiresGoesOnFiring) {
  Plan plan = both();
  plan.slos[2].objective_ppb = 990'000'000;
  Rig rig(plan);
  for (int i = 0; i < 500; ++i) {
    rig.answer(rig.next_check(1, 0), checks::Outcome::refused, rig.now + 10ms, {ErrorCode::rejected, "no"});
  }
  const auto active = [&] {
    const auto shown = rig.view();
    const auto alerts = status_of(*shown, "up").alerts;
    return std::ranges::count_if(alerts, [](const auto& alert) { return alert.active; });
  };
  ASSERT_GE(active(), 1);
  const size_t fired = rig.notices(Notice::Kind::alert_fired);
  const auto before = active();
  Plan next = plan;
  std::swap(next.slos[0], next.slos[2]);
  rig.reload(next);
  EXPECT_EQ(active(), before);
  EXPECT_EQ(rig.notices(Notice::Kind::alert_fired), fired) << "and is not news again";
}

TEST(CoreReload, AStageThatWaitsForSightGoesOnWaiting) {
  Rig rig(both());
  const StartCheck before = rig.next_check(0, 0);
  rig.no_more();
  rig.hold(before, rig.now + 100ms);
  rig.blind(0, {ErrorCode::no_descriptors, "ours"});
  rig.pass(40s);
  const Succession kept = rig.reload(turned_round());
  const StartCheck check = under(before, kept);
  EXPECT_FALSE(rig.run(check)->stages[1].verdict);
  rig.feed(Covered{1, check.due - 1s, rig.now});
  EXPECT_TRUE(rig.run(check)->stages[1].bad) << "the gap was read back, and it is not there";
  EXPECT_EQ(status_of(*rig.view(), "fast").bad_total, 1U);
}

TEST(CoreReload, TriggeredRunsGoOn) {
  CoreOptions options{.start = kStart, .epoch = kEpoch, .schedule = false};
  Rig rig(both(), options);
  rig.feed(Trigger{1});
  const StartCheck check = under(rig.next_check(1, 0), rig.reload(turned_round()));
  rig.hold(check, rig.now + 10ms);
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::good);
  EXPECT_EQ(rig.runs(RunVerdict::good, 0), 0U);
}

// What is committed after a reload is of the new plan as a whole; a crash before that leaves the cut before it.
TEST(CoreReload, ACrashAfterAReloadGoesOnFromTheNewCutOrTheOldOne) {
  for (const bool committed : {true, false}) {
    Lives lives(both());
    const StartCheck first = lives->next_check(0, 0);
    lives->hold(first, lives->now + 100ms);
    lives.commit();
    const Succession kept = lives->reload(turned_round());
    if (committed) lives.commit_whole();
    lives.restart(3s, turned_round());
    lives->feed(Covered{0, kStart, lives->now});
    lives->arrive(1, payload_of(first), 1, lives->now + 1s);
    lives->arrive(0, payload_of(first), 2, lives->now + 1s);
    ASSERT_TRUE(lives->run(first.marker)) << committed;
    EXPECT_EQ(lives->run(first.marker)->verdict, RunVerdict::good) << committed;
    EXPECT_EQ(lives->run(first.marker)->id.transaction, *kept.transactions[0]);
  }
}

TEST(CoreReload, WhatAReloadHasEndedIsCountedInTheStoreAndItsRunsAreGone) {
  Lives lives(both());
  lives->hold(lives->next_check(0, 0), lives->now + 100ms);
  lives.commit();
  ASSERT_EQ(lives.journal().runs(), 1U);
  Plan without = both();
  without.transactions.erase(without.transactions.begin());
  without.slos = {slo_of("up", 0)};
  lives->reload(without);
  lives.commit_whole();
  EXPECT_EQ(lives.journal().runs(), 0U);
  lives.restart(2s, both());
  EXPECT_EQ(status_of(*lives->view(), "fast").period.unjudged.probe_fault, 1U);
  EXPECT_EQ(lives->runs(RunVerdict::bad), 0U);
}

TEST(CoreReload, FiftyReloadsLeaveNothingBehind) {
  Rig rig(both());
  for (int i = 0; i < 50; ++i) {
    Plan next = i % 2 == 0 ? turned_round() : both();
    next.transactions[0].linger = std::chrono::seconds(60 + i);  // one of the two has changed each time
    rig.reload(std::move(next));
    rig.pass(7s);
  }
  const auto shown = rig.view();
  EXPECT_LE(shown->runs.size(), 2U * 200U + 32U);
  uint64_t verdicts = 0;
  for (const auto& one : shown->transactions) {
    for (const uint64_t n : one.verdicts) verdicts += n;
    verdicts += one.in_flight;
  }
  // A slot each 5 s and one each 15 s, whatever the plan was.
  const auto span = std::chrono::duration_cast<std::chrono::seconds>(rig.now - kStart).count();
  EXPECT_NEAR(static_cast<double>(verdicts), static_cast<double>(span / 5 + span / 15), 2);
}

TEST(PlanChanges, AreToldOneByOneAndAnotherOrderIsNone) {
  EXPECT_TRUE(plan_changes(both(), turned_round()).empty());
  Plan next = both();
  next.transactions[0].every = 10s;
  next.transactions[0].stages[0].definition = "http another";
  next.transactions[1].name = "web";
  next.slos[0].objective_ppb = 995'000'000;
  next.slos[2].name = "web-up";
  next.watches[1].name = "webhook /hooks/other";
  next.settle = 5min;
  std::vector<std::string> lines;
  for (const PlanChange& one : plan_changes(both(), next)) {
    std::string line = std::string(name(one.what)) + ' ' + one.name + ' ' + std::string(name(one.how));
    if (!one.text.empty()) line += ": " + one.text;
    lines.push_back(std::move(line));
  }
  EXPECT_THAT(lines, testing::ElementsAre(
                         "probe probe-a changed: settle 10m -> 5m",
                         "transaction log-to-alert changed: every 5s -> 10s, stage ingest, stage alert",
                         "transaction console removed", "transaction web added",
                         "slo delivered changed: objective 99.9% -> 99.5%", "slo up removed", "slo web-up added",
                         "watch webhook /hooks/alert removed", "watch webhook /hooks/other added"));
}

}  // namespace
}  // namespace slosonde::engine
