// What an earlier process left goes on: counts, alerts, runs in flight, the schedule, and what was seen.
#include <gmock/gmock.h>

#include <random>

#include "tests/unit/engine/lives.h"

namespace slosonde::engine {
namespace {

Plan journey() {
  Plan plan = plan_of({log_to_alert()});
  plan.watches[0].definition = "kafka incidents";
  plan.watches[1].definition = "webhook alert";
  plan.slos = {slo_of("alert", 0, 2), slo_of("run", 0), slo_of("fast", 0, 1, 10s)};
  return plan;
}

uint64_t decided(const SloStatus& slo) {
  const WindowStatus& all = slo.period;
  return all.good + all.bad + all.unjudged.blind + all.unjudged.probe_fault + all.unjudged.missed;
}

// All stages of the run are done and seen at once.
void go_well(Rig& rig, const StartCheck& ingest) {
  rig.hold(ingest, ingest.due + 100ms);
  rig.arrive(0, ingest.marker, ingest.run.seq, ingest.due + 1s);
  rig.arrive(1, ingest.marker, ingest.run.seq, ingest.due + 2s);
}

TEST(CoreRestart, CountsGoOnAndCountersBeginAtZero) {
  Lives lives(journey());
  for (int i = 0; i < 5; ++i) go_well(*lives, lives->next_check(0, 0));
  const Instant since = lives->view()->slos[0].since;
  lives.commit();
  lives.restart(1s);
  const auto view = lives->view();
  EXPECT_EQ(view->slos[0].period.good, 5U);
  EXPECT_EQ(view->slos[2].period.good, 5U);
  EXPECT_EQ(view->slos[0].since, since);
  EXPECT_EQ(view->slos[0].good_total, 0U);
  EXPECT_EQ(view->transactions[0].verdicts[static_cast<size_t>(RunVerdict::good)], 0U);
}

TEST(CoreRestart, SlotsWhileItWasDownAreMissedOnceAndLandInTheirOwnTime) {
  Lives lives(journey());
  go_well(*lives, lives->next_check(0, 0));
  lives.commit();
  lives.restart(2h);
  const auto view = lives->view();
  const uint64_t missed = view->slos[0].period.unjudged.missed;
  EXPECT_NEAR(static_cast<double>(missed), 1440, 1);
  EXPECT_EQ(view->transactions[0].verdicts[static_cast<size_t>(RunVerdict::missed)], missed);
  const auto hour = std::ranges::find_if(view->slos[0].windows, [](const auto& one) { return one.window == 1h; });
  ASSERT_NE(hour, view->slos[0].windows.end());
  EXPECT_NEAR(static_cast<double>(hour->unjudged.missed), 720, 3) << "the other half was before";
  EXPECT_EQ(lives->notices(Notice::Kind::slot_missed), 1U);
  lives.commit();
  lives.restart(1s);
  EXPECT_LE(lives->view()->slos[0].period.unjudged.missed, missed + 1);
}

// The process after knows nothing of what the witnesses said before: in doubt it is the target's.
TEST(CoreRestart, AFailureThatWaitedForTheWitnessesIsTheTargets) {
  Plan plan = journey();
  plan.witnesses = {"tcp://10.0.0.1:443"};
  Lives lives(plan);
  const StartCheck ingest = lives->next_check(0, 0);
  lives->answer(ingest, checks::Outcome::unreachable, ingest.due + 100ms, {ErrorCode::connect_timeout, "silent"});
  ASSERT_FALSE(lives->run(ingest)->stages[0].verdict);
  lives.commit();
  lives.restart(2s);
  EXPECT_FALSE(lives->run(ingest)->stages[0].verdict);
  lives->to(ingest.due + 5100ms);
  EXPECT_EQ(lives->run(ingest)->stages[0].verdict, StageVerdict::failed);
  EXPECT_EQ(lives->run(ingest)->verdict, RunVerdict::bad);
  EXPECT_EQ(lives->view()->slos[1].period.bad, 1U);
}

TEST(CoreRestart, ARunInFlightGoesOnUnderItsMarkerAndBecomesGood) {
  Lives lives(journey());
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives->arrive(0, ingest.marker, 7, ingest.due + 1s);
  lives.commit();
  lives.restart(3s);
  ASSERT_NE(lives->run(ingest), nullptr) << "shown from the start";
  lives->arrive(0, ingest.marker, 7, ingest.due + 6s);  // a redelivery
  lives->arrive(0, ingest.marker, 8, ingest.due + 7s);  // a second copy
  lives->arrive(1, ingest.marker, 1, ingest.due + 8s);
  const auto run = lives->run(ingest);
  EXPECT_EQ(run->verdict, RunVerdict::good);
  EXPECT_EQ(run->stages[1].latency, Duration(1s));
  EXPECT_EQ(run->stages[2].latency, Duration(8s));
  EXPECT_EQ(run->traceparent, ingest.traceparent.substr(0, 36) + run->traceparent.substr(36)) << "the same trace";
  EXPECT_EQ(lives->sightings(1, Sighting::duplicate), 1U);
  EXPECT_EQ(lives->view()->slos[1].period.good, 1U);
  EXPECT_EQ(lives->view()->slos[2].period.good, 1U) << "counted before, and once";
  lives.commit();
  EXPECT_GT(lives.journal().runs(), 0U);
  lives->pass(10min);
  lives->no_more();
  lives.commit();
  lives->pass(30min);
  lives.commit();
  EXPECT_EQ(lives.journal().runs(), 0U) << "a closed run is kept no longer";
}

TEST(CoreRestart, ARunWhoseActWasCutOffIsAProbeFaultAndNeverBad) {
  Lives lives(journey());
  const StartCheck ingest = lives->next_check(0, 0);
  lives.commit();
  lives.restart(500ms);
  lives->pass(1s);
  const auto run = lives->run(ingest);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run->verdict, RunVerdict::probe_fault);
  EXPECT_THAT(run->stages[0].error.text, testing::HasSubstr("was stopped"));
  EXPECT_EQ(lives->view()->slos[1].period.unjudged.probe_fault, 1U);
  EXPECT_EQ(lives->view()->slos[1].period.bad, 0U);
}

TEST(CoreRestart, APollThatWasCutOffGoesOnAndIsNotHeldAgainstTheTarget) {
  Plan plan = plan_of({write_and_read()});
  plan.slos = {slo_of("read", 0)};
  Lives lives(plan);
  const StartCheck write = lives->next_check(0, 0);
  lives->hold(write, write.due + 100ms);
  const StartCheck read = lives->next_check(0, 1);
  lives.commit();
  lives.restart(1s);
  const StartCheck again = lives->next_check(0, 1);
  EXPECT_EQ(again.marker, read.marker);
  EXPECT_EQ(again.attempt, read.attempt + 1);
  lives->answer(again, checks::Outcome::held, lives->now + 100ms, {}, read.marker);
  EXPECT_EQ(lives->run(read)->verdict, RunVerdict::good);

  // And one whose limit was over before the probe was back.
  const StartCheck second = lives->next_check(0, 0);
  lives->hold(second, second.due + 100ms);
  (void)lives->next_check(0, 1);
  lives.commit();
  lives.restart(20s);
  lives->pass(1s);
  EXPECT_EQ(lives->run(second)->verdict, RunVerdict::probe_fault);
}

TEST(CoreRestart, WhatWasNotCommittedIsMissedAndItsMarkersAreStale) {
  Lives lives(journey());
  lives.commit();
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives.restart(1s);
  EXPECT_EQ(lives->run(ingest), nullptr);
  lives->arrive(1, ingest.marker, 1, ingest.due + 4s);
  EXPECT_EQ(lives->sightings(2, Sighting::stale), 1U);
  EXPECT_EQ(lives->view()->slos[1].period.unjudged.missed, 1U);
}

TEST(CoreRestart, WhatAWebhookWouldHaveShownMeanwhileIsUnseenAndNotLost) {
  Lives lives(journey());
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives->arrive(0, ingest.marker, 7, ingest.due + 1s);
  lives.commit();
  lives.restart(10s);
  lives->pass(15min);
  const auto run = lives->run(ingest);
  EXPECT_EQ(run->stages[2].verdict, StageVerdict::unseen);
  EXPECT_EQ(run->verdict, RunVerdict::blind);
}

TEST(CoreRestart, AGapThatIsReadBackIsJudgedByIt) {
  for (const bool found : {true, false}) {
    Lives lives(journey());
    const StartCheck ingest = lives->next_check(0, 0);
    lives->hold(ingest, ingest.due + 100ms);
    lives->pass(1s);
    const Instant killed = lives->now;
    lives.commit();
    lives.restart(40s);
    if (found) lives->sight(0, ingest.marker, 7, killed, killed + 20s);
    lives->feed(Covered{0, killed, lives->now});
    lives->pass(1s);
    const auto run = lives->run(ingest);
    if (found) {
      EXPECT_EQ(run->stages[1].verdict, StageVerdict::on_time) << "its whole interval lies within the limit";
    } else {
      EXPECT_TRUE(run->stages[1].bad) << "absence is proven";
    }
  }
}

TEST(CoreRestart, AnAlertStaysActiveAndIsNotFiredTwice) {
  Lives lives(journey());
  const auto refuse = [&](int n) {
    for (int i = 0; i < n; ++i) {
      const StartCheck ingest = lives->next_check(0, 0);
      lives->answer(ingest, checks::Outcome::refused, ingest.due + 50ms, {ErrorCode::rejected, "no"});
    }
  };
  refuse(40);
  const auto before = lives->view()->slos[1].alerts;
  ASSERT_TRUE(before[0].active);
  lives.commit();
  lives.restart(1s);
  EXPECT_TRUE(lives->view()->slos[1].alerts[0].active);
  refuse(3);
  EXPECT_EQ(lives->view()->slos[1].alerts[0].since, before[0].since);
  EXPECT_EQ(lives->notices(Notice::Kind::alert_fired), 0U);
  for (int i = 0; i < 100; ++i) go_well(*lives, lives->next_check(0, 0));
  EXPECT_GT(lives->notices(Notice::Kind::alert_resolved), 0U);
}

TEST(CoreRestart, AnotherObjectiveKeepsTheHistoryAnotherLimitBeginsItAnew) {
  Lives lives(journey());
  for (int i = 0; i < 3; ++i) go_well(*lives, lives->next_check(0, 0));
  lives.commit();
  Plan stricter = journey();
  stricter.slos[0].objective_ppb = 999'900'000;
  stricter.slos[0].window = 7 * 24h;
  lives.restart(1s, stricter);
  EXPECT_EQ(lives->view()->slos[0].period.good, 3U);
  EXPECT_EQ(lives->notices(Notice::Kind::history_anew), 0U);
  lives.commit();
  Plan other = stricter;
  other.transactions[0].stages[2].within = 50s;
  lives.restart(1s, other);
  EXPECT_EQ(lives->view()->slos[0].period.good, 0U);
  EXPECT_EQ(lives->view()->slos[2].period.good, 3U) << "that stage has not changed";
  EXPECT_EQ(lives->notices(Notice::Kind::history_anew), 2U) << "of the alert, and of the whole run";
}

TEST(CoreRestart, RunsOfOtherStagesAreDroppedAndSoIsSaid) {
  Lives lives(journey());
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives.commit();
  Plan other = journey();
  other.transactions[0].stages.pop_back();
  other.slos = {slo_of("run", 0)};
  lives.restart(1s, other);
  EXPECT_EQ(lives->notices(Notice::Kind::runs_dropped), 1U);
  EXPECT_EQ(lives->run(ingest), nullptr);
}

TEST(CoreRestart, AStageThatAwaitsNoSecondCopyGoesOnOrIsGivenUp) {
  Plan once = journey();
  once.transactions[0].stages[1].expect = Expectation::exactly_one;
  for (const bool clock_stepped : {false, true}) {
    Lives lives(once);
    const StartCheck ingest = lives->next_check(0, 0);
    lives->hold(ingest, ingest.due + 100ms);
    lives->arrive(0, ingest.marker, 7, ingest.due + 1s);
    lives.commit();
    if (clock_stepped) {
      lives.restart_with_another_clock(1s);
      lives->pass(1ms);
      EXPECT_EQ(lives->run(ingest)->verdict, RunVerdict::probe_fault);
    } else {
      lives.restart(1s);
      lives->arrive(0, ingest.marker, 7, lives->now + 1s);
      EXPECT_FALSE(lives->run(ingest)->stages[1].verdict) << "a redelivery";
      lives->arrive(0, ingest.marker, 8, lives->now + 1s);
      EXPECT_EQ(lives->run(ingest)->stages[1].error.code, ErrorCode::duplicated);
    }
  }
}

TEST(CoreRestart, ARunThatIsDroppedIsCountedOnceAsAProbeFaultWhereItHadNoVerdict) {
  Plan with = journey();
  with.slos = {slo_of("run", 0), slo_of("ingest", 0, 0), slo_of("incident", 0, 1), slo_of("fast", 0, 1, 10s)};
  Lives lives(with);
  go_well(*lives, lives->next_check(0, 0));  // decided, and kept as long as late evidence is told from stale
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives.commit();
  with.transactions[0].stages[2].name = "page";
  lives.restart(1s, with);
  lives->no_more();
  lives->pass(1min);
  const auto view = lives->view();
  const auto slo = [&](size_t i) { return view->slos[i]; };
  EXPECT_EQ(lives->notices(Notice::Kind::runs_dropped), 1U);
  EXPECT_EQ(lives->runs(RunVerdict::probe_fault), 1U);
  EXPECT_EQ(slo(0).unjudged_total.probe_fault, 1U);
  EXPECT_EQ(slo(1).unjudged_total.probe_fault, 0U) << "its verdict was counted before";
  EXPECT_EQ(slo(1).period.good, 2U);
  EXPECT_EQ(slo(2).unjudged_total.probe_fault, 1U);
  EXPECT_EQ(slo(3).unjudged_total.probe_fault, 1U);
  EXPECT_EQ(slo(2).period.good, 1U);
  lives.commit();
  lives.restart(1s);
  EXPECT_EQ(lives->view()->slos[2].period.unjudged.probe_fault, 1U) << "once";
  EXPECT_EQ(lives->runs(RunVerdict::probe_fault), 0U);
}

TEST(CoreRestart, AClockSetBackDropsRunsOfTheFutureAndLosesNoCountNorMakesOne) {
  Lives lives(journey());
  for (int i = 0; i < 3; ++i) go_well(*lives, lives->next_check(0, 0));
  (void)lives->next_check(0, 0);
  lives.commit();
  lives.restart(-1h);
  EXPECT_EQ(lives->view()->slos[0].period.good, 3U);
  EXPECT_EQ(lives->view()->slos[0].period.unjudged.missed, 0U);
  EXPECT_EQ(lives->notices(Notice::Kind::runs_dropped), 1U);
  for (int i = 0; i < 4; ++i) {
    lives.commit();
    lives.restart(1s);
    EXPECT_EQ(lives->view()->slos[0].period.good, 3U) << "after " << i << " more restarts";
  }
  go_well(*lives, lives->next_check(0, 0));
  EXPECT_EQ(lives->view()->slos[0].period.good, 4U);
}

// Coverage of an hour that the clock then went through again proves nothing of it.
TEST(CoreRestart, AClockSetBackALittleMakesNoRunBad) {
  Lives lives(journey());
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives->arrive(0, ingest.marker, 7, ingest.due + 1s);
  lives->pass(20s);
  lives.commit();
  lives.restart(-5s);
  lives->pass(3min);
  EXPECT_EQ(lives->run(ingest)->verdict, RunVerdict::probe_fault);
  EXPECT_FALSE(lives->run(ingest)->stages[2].bad);
}

TEST(CoreRestart, WhatWasCoveredByAnotherClockProvesNothingOfNewRuns) {
  Lives lives(journey());
  lives->pass(5min);
  lives.commit();
  lives.restart(-2min);
  lives->blind(0, {ErrorCode::no_descriptors, "out of file descriptors"});
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives->to(ingest.due + 40s);
  ASSERT_NE(lives->run(ingest), nullptr);
  EXPECT_FALSE(lives->run(ingest)->stages[1].bad);
}

TEST(CoreRestart, AClockSetForwardMakesNoRunLate) {
  Lives lives(journey());
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives.commit();
  lives.restart_with_another_clock(2min);
  lives->arrive(1, ingest.marker, 1, lives->now + 1s);
  lives->pass(1min);
  EXPECT_EQ(lives->run(ingest)->verdict, RunVerdict::probe_fault);
  EXPECT_FALSE(lives->run(ingest)->stages[2].bad);
}

// A topic hands over what it held meanwhile, by the new clock, before the first turn.
TEST(CoreRestart, WhatIsReadBackByAClockThatWasSetMakesNoRunLate) {
  Lives lives(journey());
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives.commit();
  const store::Batch kept = lives.journal().all();
  const Instant now = lives->now + 2min;
  Core core(std::make_shared<const Plan>(journey()),
            {.start = now, .epoch = kEpoch + 9, .kept = &kept, .clock_stepped = true});
  core.feed(now, EvidenceSeen{0, {ingest.marker, 7, now - 1s, now - 1s, {}}});
  Outputs outputs;
  core.advance(now, outputs);
  const auto shown = core.snapshot(now);
  const auto run = std::ranges::find(shown->runs, ingest.marker, [](const RunPtr& one) { return one->marker; });
  ASSERT_NE(run, shown->runs.end());
  EXPECT_EQ((*run)->stages[1].verdict, StageVerdict::unseen);
  EXPECT_EQ((*run)->verdict, RunVerdict::probe_fault);
}

TEST(CoreRestart, APlaceThatFailsNowSaysNothingOfTheTimeBefore) {
  Lives lives(journey());
  const StartCheck ingest = lives->next_check(0, 0);
  lives->hold(ingest, ingest.due + 100ms);
  lives.commit();
  lives.restart(70s);
  lives->blind(0, {ErrorCode::connect_refused, "the broker is not up yet"});
  lives->pass(5s);
  const auto run = lives->run(ingest);
  EXPECT_FALSE(run->stages[1].bad);
  EXPECT_EQ(lives->view()->slos[2].period.bad, 0U);
}

TEST(CoreRestart, AnActWhoseTimeWeHaveEatenUpIsOurFault) {
  Plan plan = plan_of({log_to_alert()});
  plan.transactions[0].stages = {act("write", 2s), act("confirm", 10s)};
  plan.slos = {slo_of("run", 0)};
  Lives lives(plan);
  const StartCheck write = lives->next_check(0, 0);
  lives->just_to(write.due + 100ms);
  lives->core.feed(lives->now,
                   CheckDone{write.run, false, 0, 0, Rig::result(checks::Outcome::held, write.due, lives->now)});
  lives.commit();
  lives.restart(9600ms - 100ms);
  lives->pass(1min);
  EXPECT_EQ(lives->run(write)->verdict, RunVerdict::probe_fault);
}

TEST(CoreRestart, TwoSlosOfOneSliKeepTheWindowsOfBoth) {
  Plan plan = journey();
  plan.slos = {slo_of("month", 0), slo_of("quarter", 0)};
  plan.slos[1].window = 90 * 24h;
  Lives lives(plan);
  for (int i = 0; i < 3; ++i) go_well(*lives, lives->next_check(0, 0));
  lives->pass(5h);
  lives.commit();
  const auto before = lives->view()->slos[0].windows;
  lives.restart(1s);
  const auto after = lives->view()->slos[0].windows;
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].good + after[i].bad, before[i].good + before[i].bad) << format_duration(before[i].window);
  }
}

TEST(CoreRestart, ABlockThatCannotBeReadIsToldOnceAndForgotten) {
  Lives lives(journey());
  for (int i = 0; i < 3; ++i) go_well(*lives, lives->next_check(0, 0));
  lives.commit();
  lives.damage_counts();
  lives.restart(1s);
  EXPECT_EQ(lives->notices(Notice::Kind::history_anew), 3U);
  go_well(*lives, lives->next_check(0, 0));
  lives.commit();
  lives.restart(1s);
  EXPECT_EQ(lives->notices(Notice::Kind::history_anew), 0U);
  EXPECT_EQ(lives->view()->slos[0].period.good, 1U);
}

// Whatever happens when, every slot that has come is counted once, or its run is in flight.
TEST(CoreRestart, EverySlotIsCountedOnceWhateverIsCommittedWhenAndKilledWhen) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto draw = [&](int n) { return static_cast<int>(random() % static_cast<uint64_t>(n)); };
    Lives lives(journey());
    lives.commit();  // a probe that has never committed anything has no past
    const int64_t first = lives->view()->transactions[0].next_due.time_since_epoch() / 5s;
    uint64_t item = 0;
    for (int i = 0; i < 400; ++i) {
      Rig& rig = *lives;
      switch (draw(8)) {
        case 0:
        case 1:
        case 2: {
          const StartCheck check = rig.next_check(0, 0);
          if (draw(4) > 0) rig.hold(check, rig.now + std::chrono::milliseconds(draw(1900)));
          if (draw(4) > 0) rig.arrive(0, check.marker, ++item, rig.now + std::chrono::milliseconds(draw(20'000)));
          if (draw(4) > 0) rig.arrive(1, check.marker, ++item, rig.now + std::chrono::milliseconds(draw(20'000)));
          break;
        }
        case 3:
          rig.pass(std::chrono::milliseconds(draw(60'000)));
          break;
        case 4:
          rig.stall_to(rig.now + std::chrono::seconds(draw(20)));
          break;
        case 5:
          rig.blind(static_cast<size_t>(draw(2)), {ErrorCode::connect_refused, "gone"});
          break;
        case 6:
          lives.commit();
          break;
        case 7:
          if (draw(3) == 0) lives.restart(std::chrono::milliseconds(draw(30'000)));
          break;
      }
      const auto view = lives->view();
      const TransactionStats& transaction = view->transactions[0];
      const int64_t slots = transaction.next_due.time_since_epoch() / 5s - first;
      EXPECT_EQ(decided(view->slos[1]) + transaction.in_flight, static_cast<uint64_t>(slots));
    }
  }
}

}  // namespace
}  // namespace slosonde::engine
