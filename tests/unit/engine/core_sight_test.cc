// Sight: whose fault is silence?
#include "probe/engine/coverage.h"
#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

const Error kBrokerGone{ErrorCode::connect_refused, "broker 127.0.0.1:9092 refuses connections"};
const Error kOurFault{ErrorCode::no_descriptors, "out of file descriptors"};

// A run whose ingest has held and whose alert has come; the incident's watch is not in sight.
struct Sight : testing::Test {
  Plan plan = plan_of({log_to_alert()});
  std::unique_ptr<Rig> rig;
  StartCheck check;

  void begin(std::vector<SloPlan> slos = {slo_of("incident", 0, 1), slo_of("run", 0)}) {
    plan.slos = std::move(slos);
    rig = std::make_unique<Rig>(plan);
    check = rig->next_check(0, 0);
    rig->no_more();
    rig->hold(check, check.due + 1ms);
    rig->arrive(1, check.marker, 1, check.due + 2ms);
    rig->in_sight[0] = false;
  }
  StageRecord incident() { return rig->run(check)->stages[1]; }
  SloStatus slo(size_t i = 0) { return rig->view()->slos[i]; }
};

TEST_F(Sight, SilenceOfAPlaceThatCannotBeReachedIsBadAtTheLimit) {
  begin();
  rig->to(check.due + 10s);
  rig->blind(0, kBrokerGone);
  rig->to(check.due + 30s);
  EXPECT_EQ(incident().verdict, StageVerdict::failed);
  EXPECT_EQ(incident().error, kBrokerGone);
  EXPECT_EQ(incident().decided, check.due + 30s);
  EXPECT_EQ(slo().bad_total, 1u);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::bad);
  EXPECT_EQ(rig->notices(Notice::Kind::watch_lost), 1u);
}

TEST_F(Sight, AFailedLookDoesNotSkipALaterOne) {
  plan.transactions[0].stages[2].watch = 1;
  plan.slos = {slo_of("alert", 0, 2)};
  Rig late(plan);
  const StartCheck run = late.next_check(0, 0);
  late.no_more();
  late.hold(run, run.due + 1ms);
  late.blind(0, kBrokerGone);
  late.to(run.due + 30s);
  EXPECT_EQ(late.run(run)->stages[1].verdict, StageVerdict::failed);
  EXPECT_FALSE(late.run(run)->stages[2].verdict);
  late.arrive(1, run.marker, 1, run.due + 40s);
  EXPECT_EQ(late.run(run)->stages[2].verdict, StageVerdict::on_time);
  EXPECT_EQ(late.view()->slos[0].good_total, 1u);
}

TEST_F(Sight, WhatWasCoveredAsASlotCameUpIsKnownThoughNothingWasInFlight) {
  plan.transactions[0].every = 1h;
  plan.slos = {slo_of("run", 0)};
  rig = std::make_unique<Rig>(plan);
  const Instant due = rig->view()->transactions[0].next_due;
  rig->to(due - 1ms);
  // Told after the slot was due, and before the turn that starts it.
  rig->now = due + 300us;
  for (size_t w = 0; w < 2; ++w) {
    rig->core.feed(rig->now, Covered{w, due - 1ms, due + 100us});
    rig->covered_to[w] = due + 100us;
  }
  check = rig->next_check(0, 0);
  ASSERT_EQ(check.due, due);
  rig->hold(check, due + 2ms);
  rig->to(due + 2min);
  EXPECT_EQ(incident().verdict, StageVerdict::lost);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::bad);
}

TEST_F(Sight, AnActAfterWhatThePlaceKeptBackIsMadeAndNotOurFault) {
  plan.transactions[0].stages[1].within = 10min;
  plan.transactions[0].stages[2] = act("close", 12min);
  plan.transactions[0].max_in_flight = 1;
  plan.slos = {slo_of("run", 0)};
  rig = std::make_unique<Rig>(plan);
  check = rig->next_check(0, 0);
  rig->no_more();
  rig->hold(check, check.due + 1ms);
  rig->blind(0, kBrokerGone);
  rig->to(check.due + 8min);
  rig->in_sight[0] = true;
  rig->sight(0, check.marker, 1, check.due + 2s, check.due + 2s);  // by its own stamp
  const StartCheck close = rig->next_check(0, 2);
  EXPECT_EQ(close.due, check.due);
  rig->hold(close, check.due + 8min + 1s);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::good);
}

TEST_F(Sight, NothingIsSaidUntilAbsenceIsProven) {
  begin();
  rig->to(check.due + 35s);
  EXPECT_FALSE(incident().bad);
  EXPECT_FALSE(rig->run(check)->verdict);
  rig->feed(Covered{0, rig->covered_to[0], check.due + 30s - 1ns});
  EXPECT_FALSE(incident().bad);
  rig->feed(Covered{0, check.due + 30s - 1ns, check.due + 35s});
  EXPECT_TRUE(incident().bad);
  EXPECT_EQ(incident().decided, check.due + 35s);  // when it could be known
  EXPECT_EQ(slo().bad_total, 1u);
}

// A watch hands over what came in a gap and says at once that the gap is covered: that is no proof of lateness.
TEST_F(Sight, AGapReadBackTogetherWithItsCoverageMakesNothingLate) {
  begin({slo_of("incident", 0, 1), slo_of("run", 0), slo_of("fast", 0, 1, 10s)});
  rig->just_to(check.due + 20s);
  rig->blind(0, kOurFault);
  rig->just_to(check.due + 60s);
  const Instant since = rig->covered_to[0];
  rig->core.feed(rig->now, EvidenceSeen{0, {check.marker, 7, since, rig->now, {}}});
  rig->core.feed(rig->now, Covered{0, since, rig->now});
  rig->to(check.due + 61s);
  EXPECT_EQ(incident().verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::blind);
  EXPECT_EQ(slo(2).bad_total, 0u);
  EXPECT_EQ(slo(2).unjudged_total.blind, 1u);
}

TEST_F(Sight, WhatIsHandedOverAfterItsTimeWasCoveredCameLater) {
  begin();
  rig->just_to(check.due + 60s);
  rig->core.feed(rig->now, Covered{0, check.due - 1s, check.due + 30s});
  rig->core.feed(rig->now, EvidenceSeen{0, {check.marker, 7, check.due - 1s, rig->now, {}}});
  rig->to(check.due + 61s);
  EXPECT_EQ(incident().verdict, StageVerdict::late);
  EXPECT_EQ(incident().seen_lo, check.due + 30s + 1ns);
}

TEST_F(Sight, AGapInWhatIsCoveredProvesNothing) {
  begin();
  rig->to(check.due + 40s);
  rig->feed(Covered{0, check.due + 10s, check.due + 40s});
  EXPECT_FALSE(incident().bad);
  rig->feed(Covered{0, check.due - 1s, check.due + 10s});  // the gap is read back
  EXPECT_TRUE(incident().bad);
}

TEST_F(Sight, OurOwnFaultLeavesTheStageOpenUntilTheGapIsReadBack) {
  begin();
  rig->blind(0, kOurFault);
  EXPECT_FALSE(incident().waits_for_sight);
  rig->to(check.due + 2min);
  EXPECT_FALSE(incident().bad);
  EXPECT_TRUE(incident().waits_for_sight);
  // Found, and the place knows that it was in time.
  rig->sight(0, check.marker, 1, check.due + 3s, check.due + 4s);
  EXPECT_EQ(incident().verdict, StageVerdict::on_time);
  EXPECT_FALSE(incident().waits_for_sight);
  EXPECT_EQ(incident().decided, check.due + 2min);  // no count is put into the past
  EXPECT_EQ(incident().latency, 4s);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::good);
  EXPECT_EQ(slo().good_total, 1u);
}

TEST_F(Sight, FoundWhollyAfterTheLimitIsLate) {
  begin();
  rig->blind(0, kOurFault);
  rig->to(check.due + 2min);
  rig->sight(0, check.marker, 1, check.due + 30s + 1ns, check.due + 100s);
  EXPECT_EQ(incident().verdict, StageVerdict::late);
  EXPECT_EQ(slo().bad_total, 1u);
}

TEST_F(Sight, ASightingThatThePlaceItselfSaysWasLateIsLateHoweverLongWeWaited) {
  begin();
  rig->just_to(check.due + 40s);
  rig->core.feed(rig->now, Starved{check.due + 1s, rig->now, 39s});
  checks::Evidence evidence{check.marker, 1, check.due + 31s, check.due + 32s};
  evidence.by_place = true;
  rig->feed(EvidenceSeen{0, evidence});
  rig->pass(1s);
  EXPECT_EQ(rig->run(check)->stages[1].verdict, StageVerdict::late);
}

TEST_F(Sight, FoundAcrossTheLimitNobodyCanSay) {
  begin();
  rig->blind(0, kOurFault);
  rig->to(check.due + 2min);
  rig->sight(0, check.marker, 1, check.due + 30s, check.due + 100s);
  EXPECT_EQ(incident().verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::blind);
  EXPECT_EQ(slo().bad_total + slo().good_total, 0u);
  EXPECT_EQ(slo().unjudged_total.blind, 1u);
}

TEST_F(Sight, FoundAcrossTheLimitThoughAllBeforeItWasHandedOverIsLate) {
  begin();
  rig->to(check.due + 30s - 1ns);
  rig->core.feed(check.due + 30s + 1ms, Covered{0, kStart, check.due + 30s});
  rig->stall_to(check.due + 30s + 1ms);
  rig->sight(0, check.marker, 1, check.due + 29s, check.due + 30s + 1ms);
  EXPECT_EQ(incident().verdict, StageVerdict::late);
}

TEST_F(Sight, StillNoSightAfterSettleIsBlindAndNeitherGoodNorBad) {
  begin();
  rig->blind(0, kOurFault);
  rig->to(check.due + 30s + 10min - 1ns);
  EXPECT_FALSE(rig->run(check)->verdict);
  rig->to(check.due + 30s + 10min);
  EXPECT_EQ(incident().verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::blind);
  EXPECT_EQ(rig->runs(RunVerdict::blind), 1u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(slo(i).unjudged_total.blind, 1u);
    EXPECT_EQ(slo(i).good_total + slo(i).bad_total, 0u);
  }
}

TEST_F(Sight, APlaceThatGoesWhileAStageIsOpenFailsIt) {
  begin();
  rig->blind(0, kOurFault);
  rig->to(check.due + 1min);
  rig->feed(OutOfSight{0, kBrokerGone});
  EXPECT_EQ(incident().verdict, StageVerdict::failed);
  EXPECT_EQ(incident().decided, check.due + 1min);
  EXPECT_EQ(slo().bad_total, 1u);
}

TEST_F(Sight, APlaceThatIsBackBeforeTheLimitAndReadBackProvesAbsence) {
  begin();
  rig->blind(0, kBrokerGone);
  rig->to(check.due + 20s);
  rig->feed(Covered{0, kStart, check.due + 20s});
  EXPECT_EQ(rig->notices(Notice::Kind::watch_back), 1u);
  rig->in_sight[0] = true;
  rig->covered_to[0] = check.due + 20s;
  rig->to(check.due + 30s);
  EXPECT_TRUE(incident().bad);
  EXPECT_FALSE(incident().verdict);  // not failed: it was in sight
}

TEST_F(Sight, ABlindStageThatSharesItsWatchIsNotForgottenWithTheOther) {
  plan.transactions[0].stages[2] = watched("again", 30s, 0);
  plan.transactions[0].stages[2].phase = checks::EvidencePhase::resolved;
  Rig both(plan);
  const StartCheck run = both.next_check(0, 0);
  both.no_more();
  both.hold(run, run.due + 1ms);
  both.in_sight[0] = false;
  both.to(run.due + 40s);
  both.sight(0, run.marker, 1, run.due + 1s, run.due + 1s, checks::EvidencePhase::firing);
  EXPECT_EQ(both.run(run)->stages[1].verdict, StageVerdict::on_time);
  both.feed(Covered{0, kStart, run.due + 40s});
  EXPECT_TRUE(both.run(run)->stages[2].bad);
}

// What a waiting stage is told while everything stands still is taken in first, but counts from when it was told: the
// run that was woken for another stage's limit in between forgot it, and waited until `settle` was over.
TEST_F(Sight, NewsThatComesTogetherWithAnotherLimitIsNotSleptThrough) {
  plan.transactions[0].stages[2] = watched("alert", 33s, 1);
  for (const bool gone : {false, true}) {
    for (const bool fast_alone : {false, true}) {
      plan.transactions[0].stages[1] = watched("incident", fast_alone ? 60s : 30s, 0);
      plan.slos = {fast_alone ? slo_of("fast", 0, 1, 13s) : slo_of("incident", 0, 1)};
      Rig held_up(plan);
      const StartCheck run = held_up.next_check(0, 0);
      held_up.no_more();
      held_up.hold(run, run.due + 1ms);
      held_up.in_sight[0] = held_up.in_sight[1] = false;
      held_up.to(run.due + 32s);
      held_up.now = run.due + 34s;
      held_up.feed(gone ? Input(OutOfSight{0, kBrokerGone}) : Input(Covered{0, kStart, run.due + 34s}));
      EXPECT_EQ(held_up.view()->slos[0].bad_total, 1u);
      if (fast_alone) continue;
      EXPECT_EQ(held_up.run(run)->stages[1].decided, run.due + 34s);
    }
  }
}

// All that is found in it counts at the same instant; whichever of it was looked at first had been a share of its own.
TEST_F(Sight, AGapReadBackPagesForTheWholeOfItAndNotForWhatIsJudgedFirst) {
  SloPlan slo = slo_of("incident", 0, 1);
  slo.objective_ppb = 990'000'000;
  slo.window = 24h;
  plan.slos = {slo};
  Rig back(plan);
  back.blind(0, kOurFault);
  std::vector<StartCheck> runs;
  for (int i = 0; i < 44; ++i) {
    runs.push_back(back.next_check(0, 0));
    back.hold(runs.back(), runs.back().due + 1ms);
  }
  back.no_more();
  back.to(runs.back().due + 31s);
  for (size_t i = 0; i < runs.size(); ++i) {
    const Instant seen = runs[i].due + (i < 4 ? 31s : 1s);
    back.core.feed(back.now, EvidenceSeen{0, {runs[i].marker, i, seen, seen, {}}});
  }
  back.stall_to(back.now);
  const SloStatus incident = back.view()->slos[0];
  EXPECT_EQ(incident.bad_total, 4u);
  EXPECT_EQ(incident.good_total, 40u);
  EXPECT_EQ(back.notices(Notice::Kind::alert_fired), 0u);
}

TEST_F(Sight, RunsThatOnlyWaitForSightTakeNoPlace) {
  plan.transactions[0].max_in_flight = 13;
  Rig blind(plan);
  blind.next_check(0, 0);
  blind.blind(0, kOurFault);
  for (int i = 0; i < 60; ++i) {
    const StartCheck run = blind.next_check(0, 0);
    blind.hold(run, run.due + 1ms);
    blind.arrive(1, run.marker, 1, run.due + 2ms);
  }
  EXPECT_EQ(blind.runs(RunVerdict::missed), 0u);
}

TEST_F(Sight, LatencyIsNotHeldAgainstAPipelineThatWeCannotSee) {
  begin({slo_of("fast", 0, 1, 13s)});
  rig->blind(0, kOurFault);
  rig->to(check.due + 20s);
  EXPECT_EQ(slo().bad_total, 0u);
  rig->sight(0, check.marker, 1, check.due + 3s, check.due + 4s);
  EXPECT_EQ(slo().good_total, 1u);

  begin({slo_of("fast", 0, 1, 13s)});
  rig->to(check.due + 20s);
  rig->feed(Covered{0, kStart, check.due + 20s});
  EXPECT_EQ(slo().bad_total, 1u);

  begin({slo_of("fast", 0, 1, 13s)});
  rig->blind(0, kBrokerGone);
  rig->to(check.due + 13s);
  EXPECT_EQ(slo().bad_total, 1u);

  begin({slo_of("fast", 0, 1, 13s)});
  rig->to(check.due + 20s);
  rig->sight(0, check.marker, 1, check.due + 3s, check.due + 14s);
  EXPECT_EQ(slo().unjudged_total.blind, 1u);
}

TEST_F(Sight, TheNextActIsBlindWhenItsStartWasHiddenFromUs) {
  plan.transactions[0].stages = {act("ingest", 2s), watched("incident", 5s, 0), act("close", 10s)};
  plan.slos = {slo_of("close", 0, 2)};
  Rig blind(plan);
  const StartCheck run = blind.next_check(0, 0);
  blind.no_more();
  blind.hold(run, run.due + 1ms);
  blind.blind(0, kOurFault);
  blind.to(run.due + 20s);
  EXPECT_FALSE(blind.run(run)->stages[2].verdict);
  blind.sight(0, run.marker, 1, run.due + 1s, run.due + 2s);
  EXPECT_EQ(blind.run(run)->stages[1].verdict, StageVerdict::on_time);
  EXPECT_EQ(blind.run(run)->stages[2].verdict, StageVerdict::unseen);
  EXPECT_EQ(blind.run(run)->verdict, RunVerdict::blind);
  EXPECT_EQ(blind.view()->slos[0].bad_total, 0u);
}

TEST(CoreCoverage, JoinsWhatTouchesAndKeepsGaps) {
  const auto at = [](int s) { return kStart + std::chrono::seconds(s); };
  Coverage coverage;
  coverage.add(at(0), at(10));
  coverage.add(at(20), at(30));
  EXPECT_TRUE(coverage.covers(at(0), at(10)));
  EXPECT_TRUE(coverage.covers(at(25), at(25)));
  EXPECT_FALSE(coverage.covers(at(5), at(25)));
  EXPECT_FALSE(coverage.covers(at(15), at(15)));
  EXPECT_EQ(coverage.add(at(9), at(5)).from, at(9));  // turned around: ignored
  EXPECT_EQ(coverage.size(), 2u);
  const TimeSpan whole = coverage.add(at(10), at(20));
  EXPECT_EQ(whole.from, at(0));
  EXPECT_EQ(whole.to, at(30));
  EXPECT_EQ(coverage.size(), 1u);
  coverage.add(at(40), at(50));
  coverage.forget_before(at(31));
  EXPECT_EQ(coverage.size(), 1u);
  EXPECT_FALSE(coverage.covers(at(0), at(30)));
  EXPECT_TRUE(coverage.covers(at(40), at(50)));
}

TEST(CoreCoverage, IsBoundedAndForgetsTheOldestFirst) {
  Coverage coverage;
  for (int i = 0; i < 1000; ++i) coverage.add(kStart + 10s * i, kStart + 10s * i + 1s);
  EXPECT_EQ(coverage.size(), Coverage::kMost);
  EXPECT_TRUE(coverage.covers(kStart + 9990s, kStart + 9991s));
  EXPECT_FALSE(coverage.covers(kStart, kStart + 1s));
}

TEST(CoreCoverage, AgreesWithASetOfSeconds) {
  uint64_t state = 1;
  const auto random = [&](int n) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return static_cast<int>((state >> 33) % static_cast<uint64_t>(n));
  };
  for (int round = 0; round < 2000; ++round) {
    Coverage coverage;
    std::vector<std::pair<int, int>> added;
    for (int i = 0; i < 12; ++i) {
      const int from = random(60), to = from + random(8);
      added.emplace_back(from, to);
      coverage.add(kStart + from * 1s, kStart + to * 1s);
    }
    // Half seconds, so that points between the ends are asked for as well.
    const auto point = [&](int half) {
      return std::any_of(added.begin(), added.end(),
                         [&](const auto& one) { return one.first * 2 <= half && half <= one.second * 2; });
    };
    for (int i = 0; i < 20; ++i) {
      const int from = random(136), to = from + random(20);
      bool expected = true;
      for (int half = from; half <= to; ++half) expected = expected && point(half);
      EXPECT_EQ(coverage.covers(kStart + from * 500ms, kStart + to * 500ms), expected);
    }
  }
}

}  // namespace
}  // namespace slosonde::engine
