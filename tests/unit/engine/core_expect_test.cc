// What a stage may expect beyond at least one copy: exactly one, or none; phases; places that only observe.
#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

using checks::EvidencePhase;

const Error kBrokerGone{ErrorCode::connect_refused, "broker 127.0.0.1:9092 refuses connections"};
const Error kOurFault{ErrorCode::no_descriptors, "out of file descriptors"};

// A run whose ingest has held; its incident (watch 0, limit 30 s) expects what the test says, then comes an alert.
struct Expecting : testing::Test {
  Plan plan = plan_of({log_to_alert()});
  std::unique_ptr<Rig> rig;
  StartCheck check;

  void begin(Expectation expect) {
    plan.transactions[0].stages[1].expect = expect;
    if (plan.slos.empty()) plan.slos = {slo_of("incident", 0, 1), slo_of("run", 0)};
    rig = std::make_unique<Rig>(plan);
    check = rig->next_check(0, 0);
    rig->no_more();
    rig->hold(check, check.due + 1ms);
  }
  // Watch 0 is not in sight from now on.
  void lose(const Error& error) { rig->blind(0, error); }
  void alert() { rig->arrive(1, check.marker, 1, check.due + 40s); }

  StageRecord incident() { return rig->run(check)->stages[1]; }
  SloStatus slo(size_t i = 0) { return rig->view()->slos[i]; }
};

struct ExactlyOne : Expecting {
  ExactlyOne() { plan.slos = {slo_of("incident", 0, 1), slo_of("run", 0), slo_of("fast", 0, 1, 10s)}; }
};

TEST_F(ExactlyOne, OneIsGoodOnceNoSecondCanComeAnyMore) {
  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  EXPECT_EQ(incident().seen_hi, check.due + 2s);
  EXPECT_EQ(slo(2).good_total, 1u) << "how fast it was is known";
  rig->to(check.due + 30s - 1ns);
  EXPECT_FALSE(incident().verdict);
  rig->to(check.due + 30s);
  EXPECT_EQ(incident().verdict, StageVerdict::on_time);
  EXPECT_EQ(incident().decided, check.due + 30s);
  EXPECT_EQ(slo().good_total, 1u);
  alert();
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::good);
  EXPECT_EQ(rig->sightings(1, Sighting::first), 1u);
}

TEST_F(ExactlyOne, ASecondCopyWithinTheLimitIsBadWhenItIsSeen) {
  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  rig->arrive(0, check.marker, 8, check.due + 5s);
  EXPECT_EQ(incident().verdict, StageVerdict::failed);
  EXPECT_EQ(incident().error.code, ErrorCode::duplicated);
  EXPECT_EQ(incident().error.text, "seen a second time, 5s after the run was due, where exactly one is expected");
  EXPECT_EQ(incident().decided, check.due + 5s);
  EXPECT_EQ(slo().bad_total, 1u);
  EXPECT_EQ(slo(2).good_total, 1u);
  EXPECT_EQ(rig->sightings(1, Sighting::duplicate), 1u);
  alert();
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::bad);
  EXPECT_EQ(rig->run(check)->stages[2].verdict, StageVerdict::on_time) << "a later look is judged alone";
}

TEST_F(ExactlyOne, BothInOneTurnAreJudgedAsOneAfterTheOther) {
  begin(Expectation::exactly_one);
  rig->just_to(check.due + 5s);
  rig->core.feed(rig->now, EvidenceSeen{0, {check.marker, 7, check.due + 4s, check.due + 4s}});
  rig->core.feed(rig->now, EvidenceSeen{0, {check.marker, 8, check.due + 3s, check.due + 3s}});
  rig->to(rig->now);
  EXPECT_EQ(incident().verdict, StageVerdict::failed);
  EXPECT_EQ(slo().bad_total, 1u);
  EXPECT_EQ(slo(2).good_total, 1u);
}

TEST_F(ExactlyOne, ARedeliveryIsNoSecondOne) {
  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  rig->arrive(0, check.marker, 7, check.due + 5s);
  rig->to(check.due + 30s);
  EXPECT_EQ(incident().verdict, StageVerdict::on_time);
}

TEST_F(ExactlyOne, ASecondCopyAfterTheLimitIsOnlyADuplicate) {
  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  rig->arrive(0, check.marker, 8, check.due + 31s);
  EXPECT_EQ(incident().verdict, StageVerdict::on_time);
  EXPECT_EQ(rig->sightings(1, Sighting::duplicate), 1u);
  EXPECT_EQ(slo().bad_total, 0u);
}

TEST_F(ExactlyOne, ASecondCopyAfterTheLimitIsOnlyADuplicateWhileSightIsAwaited) {
  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  lose(kOurFault);
  rig->to(check.due + 40s);
  rig->sight(0, check.marker, 8, check.due + 31s, check.due + 40s);
  EXPECT_FALSE(incident().verdict);
  rig->feed(Covered{0, rig->covered_to[0], check.due + 40s});
  EXPECT_EQ(incident().verdict, StageVerdict::on_time);
  EXPECT_EQ(slo().bad_total, 0u);
}

TEST_F(ExactlyOne, NotSeenAtAllIsLost) {
  begin(Expectation::exactly_one);
  rig->to(check.due + 30s);
  EXPECT_TRUE(incident().bad);
  rig->to(check.due + 10min);
  EXPECT_EQ(rig->stages(1, StageVerdict::lost), 1u);
}

TEST_F(ExactlyOne, WhereThePlaceFailsAtTheLimitTheAbsenceOfASecondIsNotShown) {
  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  lose(kBrokerGone);
  rig->to(check.due + 30s);
  EXPECT_EQ(incident().verdict, StageVerdict::failed);
  EXPECT_EQ(incident().error, kBrokerGone);
}

TEST_F(ExactlyOne, OurOwnBlindnessIsReadBackOrUnseen) {
  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  lose(kOurFault);
  rig->to(check.due + 60s);
  EXPECT_FALSE(incident().verdict);
  rig->feed(Covered{0, rig->covered_to[0], check.due + 60s});
  EXPECT_EQ(incident().verdict, StageVerdict::on_time);

  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  lose(kOurFault);
  rig->to(check.due + 30s + plan.settle);
  EXPECT_EQ(incident().verdict, StageVerdict::unseen);
  EXPECT_EQ(slo().unjudged_total.blind, 1u);
}

TEST_F(ExactlyOne, ASecondCopyReadBackAcrossTheLimitNobodyCanSay) {
  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  lose(kOurFault);
  rig->to(check.due + 60s);
  rig->sight(0, check.marker, 8, check.due + 20s, check.due + 60s);
  EXPECT_EQ(incident().verdict, StageVerdict::unseen);
}

TEST_F(ExactlyOne, WhatFollowsBeginsWithTheFirstSighting) {
  plan.transactions[0].stages[2].from = 1;
  plan.transactions[0].stages[2].within = 10s;
  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  rig->arrive(1, check.marker, 1, check.due + 4s);
  EXPECT_EQ(rig->run(check)->stages[2].verdict, StageVerdict::on_time);
  EXPECT_EQ(rig->run(check)->stages[2].hop, Duration(2s));

  begin(Expectation::exactly_one);
  rig->arrive(0, check.marker, 7, check.due + 2s);
  rig->to(check.due + 12s);
  EXPECT_TRUE(rig->run(check)->stages[2].bad) << "10 s from the first sighting, not from when it was found good";
  EXPECT_EQ(rig->run(check)->stages[2].decided, check.due + 12s);
}

TEST_F(ExactlyOne, WhatWasSeenIsNotSkippedWithTheActThatFailed) {
  plan.transactions[0].stages[0].within = 20s;
  plan.transactions[0].stages[1].expect = Expectation::exactly_one;
  Rig cut(plan);
  const StartCheck run = cut.next_check(0, 0);
  cut.no_more();
  cut.arrive(0, run.marker, 7, run.due + 2s);
  cut.answer(run, checks::Outcome::refused, run.due + 3s);
  EXPECT_FALSE(cut.run(run)->stages[1].verdict);
  EXPECT_EQ(cut.run(run)->stages[2].verdict, StageVerdict::skipped);
  cut.to(run.due + 30s);
  EXPECT_EQ(cut.run(run)->stages[1].verdict, StageVerdict::on_time);
}

struct None : Expecting {};

TEST_F(None, CoveredSilenceIsGood) {
  begin(Expectation::none);
  rig->to(check.due + 30s - 1ns);
  EXPECT_FALSE(incident().verdict);
  rig->to(check.due + 30s);
  EXPECT_EQ(incident().verdict, StageVerdict::on_time);
  EXPECT_FALSE(incident().seen_hi);
  EXPECT_EQ(slo().good_total, 1u);
  alert();
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::good);
  EXPECT_EQ(rig->view()->transactions[0].stages[1].latency.count(), 0u) << "there is nothing that could be fast";
}

TEST_F(None, ACopyWithinTheLimitIsBadWhenItIsSeen) {
  begin(Expectation::none);
  rig->arrive(0, check.marker, 7, check.due + 5s);
  EXPECT_EQ(incident().verdict, StageVerdict::failed);
  EXPECT_EQ(incident().error.code, ErrorCode::unexpected);
  EXPECT_EQ(incident().error.text, "seen 5s after the run was due, where it must not appear");
  EXPECT_EQ(incident().seen_hi, check.due + 5s);
  EXPECT_EQ(incident().decided, check.due + 5s);
  EXPECT_EQ(slo().bad_total, 1u);
  rig->arrive(0, check.marker, 8, check.due + 6s);
  EXPECT_EQ(rig->sightings(1, Sighting::unexpected), 2u);
  EXPECT_EQ(rig->sightings(1, Sighting::first), 0u);
  alert();
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::bad);
  EXPECT_EQ(rig->view()->transactions[0].stages[1].latency.count(), 0u);
  EXPECT_EQ(rig->view()->transactions[0].stages[1].failures[static_cast<size_t>(ErrorCode::unexpected)], 1u);
}

TEST_F(None, WhatComesAfterTheLimitIsToldAndNotJudged) {
  begin(Expectation::none);
  rig->arrive(0, check.marker, 7, check.due + 31s);
  EXPECT_EQ(incident().verdict, StageVerdict::on_time);
  EXPECT_EQ(rig->sightings(1, Sighting::unexpected), 1u);
  EXPECT_EQ(slo().bad_total, 0u);
}

TEST_F(None, AnEarlierCopyReadBackAfterALaterOneIsBad) {
  begin(Expectation::none);
  lose(kOurFault);
  rig->to(check.due + 50s);
  rig->sight(0, check.marker, 8, check.due + 40s, check.due + 45s);
  EXPECT_FALSE(incident().verdict);
  rig->sight(0, check.marker, 7, check.due + 5s, check.due + 6s);
  EXPECT_EQ(incident().verdict, StageVerdict::failed);
  EXPECT_EQ(incident().error.code, ErrorCode::unexpected);
}

TEST_F(None, WhereThePlaceFailsAbsenceIsNotShown) {
  begin(Expectation::none);
  lose(kBrokerGone);
  rig->to(check.due + 30s);
  EXPECT_EQ(incident().verdict, StageVerdict::failed);
  EXPECT_EQ(incident().error, kBrokerGone);
  EXPECT_EQ(slo().bad_total, 1u);
}

TEST_F(None, OurOwnBlindnessIsNeverGood) {
  begin(Expectation::none);
  lose(kOurFault);
  rig->to(check.due + 31s);
  EXPECT_FALSE(incident().verdict);
  rig->to(check.due + 30s + plan.settle);
  EXPECT_EQ(incident().verdict, StageVerdict::unseen);
  EXPECT_EQ(slo().good_total, 0u);
  EXPECT_EQ(slo().unjudged_total.blind, 1u);
}

TEST_F(None, ACopyReadBackAcrossTheLimitNobodyCanSay) {
  begin(Expectation::none);
  lose(kOurFault);
  rig->to(check.due + 60s);
  rig->sight(0, check.marker, 7, check.due + 5s, check.due + 60s);
  EXPECT_EQ(incident().verdict, StageVerdict::unseen);
}

TEST_F(None, TheNextActBeginsWhenAbsenceIsProvenAndNotWhenItIsDisproven) {
  plan.transactions[0].stages[2] = act("clear", 60s);
  begin(Expectation::none);
  const StartCheck next = rig->next_check(0, 2);
  EXPECT_EQ(rig->now, check.due + 30s);
  rig->hold(next, rig->now + 1s);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::good);
  EXPECT_FALSE(rig->run(check)->stages[2].hop);

  begin(Expectation::none);
  rig->arrive(0, check.marker, 7, check.due + 5s);
  EXPECT_EQ(rig->run(check)->stages[2].verdict, StageVerdict::skipped);
}

struct Phases : testing::Test {
  Plan plan = plan_of({log_to_alert()});
  Phases() {
    auto& stages = plan.transactions[0].stages;
    stages[1].watch = 1;
    stages[2].watch = 1;
    stages[2].phase = EvidencePhase::resolved;
    stages[2].name = "cleared";
    stages[2].within = 20s;
    stages[2].from = 1;
  }
};

TEST_F(Phases, AnAlertMustClearWithinItsTimeFromTheFiring) {
  Rig rig(plan);
  const StartCheck good = rig.next_check(0, 0);
  rig.no_more();
  rig.hold(good, good.due + 1ms);
  rig.arrive(1, good.marker, 7, good.due + 5s, EvidencePhase::firing);
  EXPECT_EQ(rig.run(good)->stages[1].verdict, StageVerdict::on_time);
  EXPECT_FALSE(rig.run(good)->stages[2].seen_hi);
  rig.arrive(1, good.marker, 7, good.due + 24s, EvidencePhase::resolved);
  EXPECT_EQ(rig.run(good)->verdict, RunVerdict::good);
  EXPECT_EQ(rig.sightings(1, Sighting::duplicate), 0u) << "the same alert in another phase is no second copy";

  Rig stuck(plan);
  const StartCheck bad = stuck.next_check(0, 0);
  stuck.no_more();
  stuck.hold(bad, bad.due + 1ms);
  stuck.arrive(1, bad.marker, 7, bad.due + 5s, EvidencePhase::firing);
  stuck.to(bad.due + 25s);
  EXPECT_EQ(stuck.run(bad)->verdict, RunVerdict::bad);
}

TEST_F(Phases, AResolvedAloneIsNoAlert) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.no_more();
  rig.hold(check, check.due + 1ms);
  rig.arrive(1, check.marker, 7, check.due + 5s, EvidencePhase::resolved);
  EXPECT_FALSE(rig.run(check)->stages[1].seen_hi);
  EXPECT_EQ(rig.run(check)->stages[2].verdict, StageVerdict::on_time);
  rig.to(check.due + 30s);
  EXPECT_TRUE(rig.run(check)->stages[1].bad);
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::bad);
}

TEST_F(Phases, AResolvedThatOvertookItsFiringIsReordered) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.no_more();
  rig.hold(check, check.due + 1ms);
  rig.arrive(1, check.marker, 7, check.due + 5s, EvidencePhase::resolved);
  rig.arrive(1, check.marker, 7, check.due + 6s, EvidencePhase::firing);
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::good);
  EXPECT_EQ(rig.sightings(2, Sighting::reordered), 1u);
}

struct Observer : Expecting {
  Observer() { plan.transactions[0].stages[1].observer = true; }
};

TEST_F(Observer, AMirrorThatFailsLeavesTheStageOpenUntilItIsReadBack) {
  begin(Expectation::some);
  lose(kBrokerGone);
  rig->to(check.due + 60s);
  EXPECT_FALSE(incident().verdict);
  EXPECT_FALSE(incident().bad);
  rig->sight(0, check.marker, 7, check.due + 5s, check.due + 6s);
  EXPECT_EQ(incident().verdict, StageVerdict::on_time);
  EXPECT_EQ(slo().good_total, 1u);
}

TEST_F(Observer, AMirrorThatStaysAwayMakesTheRunBlindAndNeverBad) {
  plan.slos = {slo_of("incident", 0, 1), slo_of("run", 0), slo_of("fast", 0, 1, 10s)};
  begin(Expectation::some);
  lose(kBrokerGone);
  alert();
  rig->to(check.due + 30s + plan.settle);
  EXPECT_EQ(incident().verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::blind);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(slo(i).bad_total, 0u);
    EXPECT_EQ(slo(i).unjudged_total.blind, 1u);
  }
}

TEST_F(Observer, TheSameMirrorThatSawEverythingProvesAbsence) {
  begin(Expectation::some);
  rig->to(check.due + 30s);
  EXPECT_TRUE(incident().bad);
}

}  // namespace
}  // namespace slosonde::engine
