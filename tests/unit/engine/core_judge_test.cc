#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

using checks::Outcome;

Error refused() {
  return {ErrorCode::connect_refused, "127.0.0.1:8080 refuses connections"};
}

struct Journey : testing::Test {
  Plan plan = plan_of({log_to_alert()});
  Journey() { plan.slos = {slo_of("alert", 0, 2), slo_of("incident", 0, 1), slo_of("run", 0)}; }
};

TEST_F(Journey, SeenEverywhereInTimeIsGood) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  EXPECT_EQ(check.deadline, check.due + 2s);
  EXPECT_EQ(check.attempt, 0u);
  EXPECT_FALSE(check.polling);
  rig.hold(check, check.due + 40ms);
  rig.arrive(0, "incident " + check.marker, 7, check.due + 300ms);
  EXPECT_FALSE(rig.run(check)->verdict);
  rig.arrive(1, "{\"alert\":\"" + check.marker + "\"}", 9, check.due + 900ms);
  const auto run = rig.run(check);
  EXPECT_EQ(run->verdict, RunVerdict::good);
  EXPECT_EQ(run->decided, check.due + 900ms);
  EXPECT_FALSE(run->closed);
  EXPECT_EQ(run->marker, check.marker);
  for (const StageRecord& stage : run->stages) EXPECT_EQ(stage.verdict, StageVerdict::on_time);
  EXPECT_EQ(run->stages[0].latency, 40ms);
  EXPECT_EQ(run->stages[1].latency, 300ms);
  EXPECT_EQ(run->stages[1].hop, 260ms);
  EXPECT_EQ(run->stages[2].hop, 600ms);
  EXPECT_EQ(rig.runs(RunVerdict::good), 1u);
  const auto view = rig.view();
  for (const SloStatus& slo : view->slos) {
    EXPECT_EQ(slo.good_total, 1u);
    EXPECT_EQ(slo.bad_total, 0u);
  }
  EXPECT_TRUE(rig.told.empty());  // no line for a healthy run
  EXPECT_EQ(rig.view()->transactions[0].last_good, check.due + 900ms);
}

TEST_F(Journey, ACheckWhoseEvidenceIsReadBeforeItsResultIsNotCarriedOutTwice) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.just_to(check.due + 50ms);
  // Both wait when the engine turns, and the incident is the older of the two.
  rig.core.feed(rig.now, EvidenceSeen{0, {"incident " + check.marker, 7, check.due + 40ms, check.due + 40ms}});
  rig.core.feed(rig.now, CheckDone{check.run, false, check.stage, check.attempt,
                                   Rig::result(Outcome::held, check.due, check.due + 45ms)});
  rig.pass(1s);
  EXPECT_EQ(rig.run(check)->stages[0].attempts, 1u);
  EXPECT_EQ(std::ranges::count_if(rig.checks, [&](const StartCheck& one) { return one.run == check.run; }), 1);
  EXPECT_EQ(rig.run(check)->stages[0].latency, 45ms);
}

TEST_F(Journey, LatencyCountsFromDueAndNotFromTheStart) {
  Rig rig(plan);
  const Instant first = rig.next_check(0, 0).due;
  rig.stall_to(first + 5s + 700ms);
  const StartCheck check = rig.checks.back();
  EXPECT_EQ(check.due, first + 5s);
  EXPECT_EQ(check.deadline, first + 5s + 2s);
  rig.hold(check, check.due + 710ms);
  EXPECT_EQ(rig.run(check)->stages[0].latency, 710ms);
}

TEST_F(Journey, NotSeenByItsLimitIsBadAtTheLimitAndLostWhenClosed) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.no_more();
  rig.hold(check, check.due + 40ms);
  rig.arrive(1, check.marker, 9, check.due + 900ms);
  rig.to(check.due + 30s - 1ns);
  EXPECT_FALSE(rig.run(check)->stages[1].bad);
  rig.to(check.due + 30s);
  const auto run = rig.run(check);
  EXPECT_TRUE(run->stages[1].bad);
  EXPECT_FALSE(run->stages[1].verdict);
  EXPECT_EQ(run->stages[1].decided, check.due + 30s);
  EXPECT_EQ(run->verdict, RunVerdict::bad);
  EXPECT_EQ(run->decided, check.due + 30s);
  const auto view = rig.view();
  EXPECT_EQ(view->slos[0].good_total, 1u);  // the alert was in time: its SLO does not burn
  EXPECT_EQ(view->slos[1].bad_total, 1u);
  EXPECT_EQ(view->slos[2].bad_total, 1u);
  rig.to(check.due + 120s - 1ns);
  EXPECT_FALSE(rig.run(check)->closed);
  rig.to(check.due + 120s);
  EXPECT_TRUE(rig.run(check)->closed);
  EXPECT_EQ(rig.run(check)->stages[1].verdict, StageVerdict::lost);
}

TEST_F(Journey, SeenAfterItsLimitIsLateAndNeverGood) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.no_more();
  rig.hold(check, check.due + 40ms);
  rig.arrive(1, check.marker, 9, check.due + 900ms);
  rig.arrive(0, check.marker, 9, check.due + 30s + 1ns);
  const auto run = rig.run(check);
  EXPECT_EQ(run->stages[1].verdict, StageVerdict::late);
  EXPECT_EQ(run->verdict, RunVerdict::bad);
  EXPECT_EQ(run->stages[1].decided, check.due + 30s);
  EXPECT_EQ(rig.sightings(1, Sighting::late), 1u);
  EXPECT_EQ(rig.stages(1, StageVerdict::late), 1u);
  EXPECT_EQ(rig.view()->slos[1].bad_total, 1u);
  // Late ones enter the histogram with their true latency.
  EXPECT_NEAR(rig.view()->transactions[0].stages[1].latency.sum, 30, 0.001);
}

TEST_F(Journey, SeenExactlyAtItsLimitIsOnTime) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 2s);
  rig.arrive(0, check.marker, 9, check.due + 30s);
  EXPECT_EQ(rig.run(check)->stages[0].verdict, StageVerdict::on_time);
  EXPECT_EQ(rig.run(check)->stages[1].verdict, StageVerdict::on_time);
}

TEST_F(Journey, AFailedActSkipsAllThatFollows) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.answer(check, Outcome::unreachable, check.due + 3ms, refused());
  const auto run = rig.run(check);
  EXPECT_EQ(run->stages[0].verdict, StageVerdict::failed);
  EXPECT_EQ(run->stages[0].error, refused());
  EXPECT_EQ(run->stages[0].decided, check.due + 3ms);
  EXPECT_EQ(run->stages[1].verdict, StageVerdict::skipped);
  EXPECT_EQ(run->stages[2].verdict, StageVerdict::skipped);
  EXPECT_EQ(run->verdict, RunVerdict::bad);
  const auto view = rig.view();
  EXPECT_EQ(view->transactions[0].stages[0].failures[static_cast<size_t>(ErrorCode::connect_refused)], 1u);
  for (const SloStatus& slo : view->slos) EXPECT_EQ(slo.bad_total, 1u);  // skipped is bad for availability
  ASSERT_EQ(rig.notices(Notice::Kind::transaction_bad), 1u);
  EXPECT_NE(rig.told[0].text.find("ingest"), std::string::npos);
  EXPECT_NE(rig.told[0].text.find("connect_refused"), std::string::npos);
  EXPECT_NE(rig.told[0].text.find("127.0.0.1:8080"), std::string::npos);
}

TEST_F(Journey, WhatWasSeenBeforeTheActFailedStays) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.arrive(0, check.marker, 1, check.due + 100ms);
  rig.answer(check, Outcome::timed_out, check.due + 2s, {ErrorCode::timeout, "no answer"});
  const auto run = rig.run(check);
  EXPECT_EQ(run->stages[1].verdict, StageVerdict::on_time);
  EXPECT_EQ(run->stages[2].verdict, StageVerdict::skipped);
  rig.arrive(1, check.marker, 1, check.due + 3s);  // decided once
  EXPECT_EQ(rig.run(check)->stages[2].verdict, StageVerdict::skipped);
  EXPECT_EQ(rig.sightings(2, Sighting::first), 1u);
}

TEST_F(Journey, ACheckWithoutAResultFailsWithTimeoutAndIsCancelled) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.to(check.due + 2s + 20ms - 1ns);
  EXPECT_FALSE(rig.run(check)->stages[0].verdict);
  rig.to(check.due + 2s + 20ms);
  const auto run = rig.run(check);
  EXPECT_EQ(run->stages[0].verdict, StageVerdict::failed);
  EXPECT_EQ(run->stages[0].error.code, ErrorCode::timeout);
  EXPECT_EQ(run->stages[0].decided, check.due + 2s);  // the limit, not when we came to say so
  ASSERT_EQ(rig.cancels.size(), 1u);
  EXPECT_EQ(rig.cancels[0].run, check.run);
  // What comes later is for nobody.
  rig.hold(check, check.due + 2s + 30ms);
  EXPECT_EQ(rig.run(check)->stages[0].verdict, StageVerdict::failed);
}

TEST_F(Journey, AResultMadeInTimeStillCountsWithinTheGrace) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.to(check.due + 2s + 10ms);
  rig.feed(CheckDone{check.run, false, 0, 0, Rig::result(Outcome::held, check.due, check.due + 1999ms)});
  EXPECT_EQ(rig.run(check)->stages[0].verdict, StageVerdict::on_time);
}

TEST_F(Journey, AResultMadeAfterTheLimitIsNeverGood) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.to(check.due + 2s + 10ms);
  rig.feed(CheckDone{check.run, false, 0, 0, Rig::result(Outcome::held, check.due, check.due + 2s + 1ns)});
  const auto run = rig.run(check);
  EXPECT_EQ(run->stages[0].verdict, StageVerdict::failed);
  EXPECT_EQ(run->stages[0].error.code, ErrorCode::timeout);
  EXPECT_EQ(run->stages[0].decided, check.due + 2s);
}

TEST_F(Journey, TheChecksOwnReasonIsKeptWhenItComesWithinTheGrace) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.answer(check, Outcome::timed_out, check.due + 2s + 1ms, {ErrorCode::connect_timeout, "10.0.0.9 does not answer"});
  EXPECT_EQ(rig.run(check)->stages[0].error.code, ErrorCode::connect_timeout);
  EXPECT_EQ(rig.run(check)->stages[0].decided, check.due + 2s);
}

TEST_F(Journey, OurOwnFaultIsNeverBad) {
  for (const bool by_code : {false, true}) {
    Rig rig(plan);
    const StartCheck check = rig.next_check(0, 0);
    rig.answer(check, by_code ? Outcome::unreachable : Outcome::probe_fault, check.due + 3ms,
               {ErrorCode::no_descriptors, "out of file descriptors"});
    const auto run = rig.run(check);
    EXPECT_EQ(run->verdict, RunVerdict::probe_fault);
    for (const StageRecord& stage : run->stages) EXPECT_EQ(stage.verdict, StageVerdict::unseen);
    const auto view = rig.view();
    for (const SloStatus& slo : view->slos) {
      EXPECT_EQ(slo.bad_total, 0u);
      EXPECT_EQ(slo.unjudged_total.probe_fault, 1u);
    }
    EXPECT_TRUE(rig.told.empty());
  }
}

TEST_F(Journey, HeldUpOverALimitIsOurFaultAndNotTheTargets) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.in_sight[0] = rig.in_sight[1] = false;
  rig.stall_to(check.due + 60s);
  EXPECT_EQ(rig.stages(0, StageVerdict::unseen), 1u);
  EXPECT_EQ(rig.runs(RunVerdict::probe_fault), 1u);
  EXPECT_EQ(rig.runs(RunVerdict::bad), 0u);
}

// It asks once a second; held up from the first answer until after the limit, it could not ask again.
TEST(CoreJudge, APollThatWasHeldUpWhenItShouldHaveAskedAgainIsOurFault) {
  Plan plan = plan_of({write_and_read()});
  plan.slos = {slo_of("read", 0)};
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.no_more();
  rig.hold(write, write.due + 100ms);
  const StartCheck read = rig.next_check(0, 1);
  rig.answer(read, Outcome::not_yet, write.due + 200ms, {ErrorCode::no_marker, "not there yet"});
  rig.stall_to(write.due + 10s + 500ms);
  rig.pass(1s);
  EXPECT_EQ(rig.run(write)->verdict, RunVerdict::probe_fault);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 0u);
}

// The kernel gave us no processor: what came over its limit by no more than that may have been in time.
TEST_F(Journey, AnAnswerThatIsLateByOurWaitForAProcessorIsOurFault) {
  for (const bool ours : {false, true}) {
    Rig rig(plan);
    const StartCheck check = rig.next_check(0, 0);
    rig.to(check.due + 2s + 5ms);
    rig.feed(Starved{check.due, check.due + 2s + 5ms, ours ? 12ms : 9ms});
    rig.feed(CheckDone{check.run, false, 0, 0, Rig::result(Outcome::held, check.due, check.due + 2s + 5ms)});
    rig.to(check.due + 2s + 20ms);
    EXPECT_EQ(rig.run(check)->stages[0].verdict, ours ? StageVerdict::unseen : StageVerdict::failed);
    EXPECT_EQ(rig.runs(RunVerdict::probe_fault), ours ? 1u : 0u);
  }
}

TEST_F(Journey, NoAnswerIsOurFaultOnlyWhereWeWaitedForAProcessorMostOfTheTime) {
  for (const bool with_result : {false, true}) {
    for (const bool ours : {false, true}) {
      Rig rig(plan);
      const StartCheck check = rig.next_check(0, 0);
      rig.to(check.due + 2s);
      rig.feed(Starved{check.due, check.due + 2s, ours ? 1001ms : 999ms});
      if (with_result) {
        rig.feed(CheckDone{check.run, false, 0, 0, Rig::result(Outcome::timed_out, check.due, check.due + 2s + 1ms)});
      }
      rig.to(check.due + 2s + 20ms);
      EXPECT_EQ(rig.run(check)->stages[0].verdict, ours ? StageVerdict::unseen : StageVerdict::failed);
    }
  }
}

// The check has a patience of its own, of which we stood still for the most part.
TEST_F(Journey, ACheckThatGaveUpBeforeTheLimitWhileWeStoodStillIsOurFault) {
  for (const auto code : {ErrorCode::unconfirmed, ErrorCode::connect_timeout, ErrorCode::connect_refused}) {
    for (const bool ours : {false, true}) {
      Rig rig(plan);
      const StartCheck check = rig.next_check(0, 0);
      rig.to(check.due + 500ms);
      rig.feed(Starved{check.due, check.due + 500ms, ours ? 250ms : 249ms});
      const auto outcome = code == ErrorCode::unconfirmed ? Outcome::timed_out : Outcome::unreachable;
      rig.answer(check, outcome, check.due + 500ms, {code, "given up"});
      const bool excused = ours && code != ErrorCode::connect_refused;
      EXPECT_EQ(rig.run(check)->stages[0].verdict, excused ? StageVerdict::unseen : StageVerdict::failed);
    }
  }
}

TEST_F(Journey, ARefusalIsTheTargetsHoweverLongWeWaitedForAProcessor) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.to(check.due + 1900ms);
  rig.feed(Starved{check.due, check.due + 1900ms, 1800ms});
  rig.answer(check, Outcome::refused, check.due + 1950ms, refused());
  EXPECT_EQ(rig.run(check)->stages[0].verdict, StageVerdict::failed);
}

TEST_F(Journey, ASightingThatIsLateByOurWaitForAProcessorIsUnseen) {
  for (const bool ours : {false, true}) {
    Rig rig(plan);
    const StartCheck check = rig.next_check(0, 0);
    rig.hold(check, check.due + 10ms);
    rig.in_sight[0] = false;
    rig.to(check.due + 30s + 40ms);
    rig.feed(Starved{check.due + 30s - 60ms, check.due + 30s + 40ms, ours ? 50ms : 30ms});
    rig.arrive(0, check.marker, 1, check.due + 30s + 40ms);
    EXPECT_EQ(rig.run(check)->stages[1].verdict, ours ? StageVerdict::unseen : StageVerdict::late);
  }
}

TEST_F(Journey, ALatencyThatIsOverByOurWaitForAProcessorIsNoEvent) {
  plan.slos = {slo_of("fast", 0, 0, 100ms)};
  for (const bool ours : {false, true}) {
    Rig rig(plan);
    const StartCheck check = rig.next_check(0, 0);
    rig.to(check.due + 90ms);
    rig.feed(Starved{check.due, check.due + 90ms, ours ? 60ms : 10ms});
    rig.hold(check, check.due + 130ms);
    EXPECT_EQ(rig.view()->slos[0].bad_total, ours ? 0u : 1u);
    EXPECT_EQ(rig.view()->slos[0].unjudged_total.probe_fault, ours ? 1u : 0u);
  }
}

TEST_F(Journey, APayloadIsMadeForThoseWhoSendIt) {
  plan.transactions[0].stages[0].sends_payload = false;
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  EXPECT_EQ(check.payload, "");
}

TEST_F(Journey, AWrongPayloadIsCorruptAndAMissingOneIsNot) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, rig.now);
  const StartCheck other = rig.next_check(0, 0);
  ASSERT_NE(check.payload, other.payload);
  EXPECT_TRUE(check.payload.starts_with("sondep-"));
  rig.hold(other, rig.now);
  rig.arrive(0, check.marker + " " + other.payload, 1, rig.now);
  rig.arrive(1, check.marker, 1, rig.now);
  rig.arrive(0, other.marker + " says " + other.payload + " and " + check.payload, 2, rig.now);
  EXPECT_EQ(rig.run(check)->stages[1].verdict, StageVerdict::corrupt);
  EXPECT_TRUE(rig.run(check)->stages[1].bad);
  EXPECT_EQ(rig.run(check)->stages[2].verdict, StageVerdict::on_time);
  EXPECT_EQ(rig.run(other)->stages[1].verdict, StageVerdict::on_time);
  EXPECT_EQ(rig.sightings(1, Sighting::corrupt), 1u);
  EXPECT_EQ(rig.view()->slos[1].bad_total, 1u);
}

TEST_F(Journey, APayloadThatIsRequiredAndMissingIsCorrupt) {
  plan.transactions[0].stages[1].payload_required = true;
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.arrive(0, check.marker, 1, rig.now);
  EXPECT_EQ(rig.run(check)->stages[1].verdict, StageVerdict::corrupt);
}

TEST_F(Journey, LimitsMayCountFromTheSightingOfAnotherStage) {
  plan.transactions[0].stages[2].from = 1;
  plan.transactions[0].stages[2].within = 5s;
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  rig.arrive(0, check.marker, 1, check.due + 20s);
  rig.to(check.due + 25s - 1ns);
  EXPECT_FALSE(rig.run(check)->verdict);
  rig.to(check.due + 25s);
  EXPECT_TRUE(rig.run(check)->stages[2].bad);
  EXPECT_EQ(rig.run(check)->stages[2].decided, check.due + 25s);
}

TEST_F(Journey, AStageWhoseFromEndsBadIsSkipped) {
  plan.transactions[0].stages[2].from = 1;
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  rig.to(check.due + 30s);
  EXPECT_TRUE(rig.run(check)->stages[1].bad);
  EXPECT_EQ(rig.run(check)->stages[2].verdict, StageVerdict::skipped);
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::bad);
}

TEST_F(Journey, SeenBeforeItsFromIsOnTime) {
  plan.transactions[0].stages[2].from = 1;
  plan.transactions[0].stages[2].within = 5s;
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  rig.arrive(1, check.marker, 1, check.due + 2s);
  EXPECT_EQ(rig.run(check)->stages[2].verdict, StageVerdict::on_time);
  rig.arrive(0, check.marker, 1, check.due + 20s);
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::good);
  EXPECT_EQ(rig.run(check)->stages[2].hop, Duration::zero());
  EXPECT_EQ(rig.sightings(2, Sighting::reordered), 1u);
}

TEST_F(Journey, LatencyIsGoodAtTheSightingAndBadWhenTheTimeIsOver) {
  plan.slos = {slo_of("fast", 0, 1, 13s)};
  Rig rig(plan);
  const StartCheck first = rig.next_check(0, 0);
  rig.hold(first, first.due + 1ms);
  rig.arrive(0, first.marker, 1, first.due + 4s);
  EXPECT_EQ(rig.view()->slos[0].good_total, 1u);
  const StartCheck second = rig.next_check(0, 0);
  rig.hold(second, second.due + 1ms);
  rig.to(second.due + 13s - 1ns);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 0u);
  rig.to(second.due + 13s);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 1u);
  rig.arrive(0, second.marker, 2, second.due + 14s);  // on time for the stage; counted once for the SLO
  EXPECT_EQ(rig.run(second)->stages[1].verdict, StageVerdict::on_time);
  EXPECT_EQ(rig.view()->slos[0].good_total, 1u);
}

TEST_F(Journey, LatencyOfAFailedStageIsBadAndOfASkippedOneNoEvent) {
  plan.slos = {slo_of("ingest fast", 0, 0, 1s), slo_of("incident fast", 0, 1, 13s)};
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.answer(check, Outcome::unreachable, check.due + 3ms, refused());
  rig.feed(Drain{});
  rig.pass(5min);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 1u);
  EXPECT_EQ(rig.view()->slos[1].bad_total + rig.view()->slos[1].good_total, 0u);
  EXPECT_EQ(rig.view()->slos[1].unjudged_total.blind, 0u);
}

TEST_F(Journey, EventsLieInTheSlotOfTheInstantThatDecidedThem) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  rig.arrive(1, check.marker, 1, check.due + 2ms);
  rig.feed(Drain{});
  rig.to(check.due + 31s);
  EXPECT_EQ(rig.view()->slos[1].windows[0].bad, 1u);
  EXPECT_EQ(rig.view()->slos[1].windows[0].window, 5min);
  rig.to(check.due + 30s + 5min - 10s);
  EXPECT_EQ(rig.view()->slos[1].windows[0].bad, 1u);  // counted at due + 30 s: five minutes are not over
  rig.to(check.due + 30s + 5min + 20s);
  EXPECT_EQ(rig.view()->slos[1].windows[0].bad, 0u);
  EXPECT_EQ(rig.view()->slos[1].windows[0].window, 5min);
}

TEST_F(Journey, FinallyRunsAlwaysOneAfterTheOtherAndIsNeverJudged) {
  plan.transactions[0].finally = {act("close", 1s), act("sweep", 3s)};
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.to(check.due + 1s);
  auto held = Rig::result(Outcome::held, check.due, check.due + 1s);
  held.captures = {{"id", "4711"}};
  rig.feed(CheckDone{check.run, false, 0, 0, held});
  rig.feed(Drain{});
  EXPECT_EQ(std::count_if(rig.checks.begin(), rig.checks.end(), [](const auto& c) { return c.finally; }), 0);
  const StartCheck close = rig.next_check(0, 0, true);
  EXPECT_EQ(rig.now, check.due + 60s);  // once decided
  EXPECT_EQ(close.deadline, rig.now + 1s);
  EXPECT_EQ(close.captures.at("id"), "4711");
  EXPECT_EQ(rig.core.in_flight(), 1u);
  const StartCheck sweep = rig.next_check(0, 1, true);  // the first one never answers
  EXPECT_EQ(rig.now, check.due + 61s + 20ms);
  EXPECT_EQ(sweep.deadline, rig.now + 3s);
  rig.answer(sweep, Outcome::refused, rig.now + 1s, {ErrorCode::wrong_status, "404"});
  EXPECT_EQ(rig.core.in_flight(), 0u);
  const auto run = rig.run(check);
  EXPECT_EQ(run->finally[0].error.code, ErrorCode::timeout);
  EXPECT_EQ(run->finally[0].verdict, StageVerdict::failed);
  EXPECT_EQ(run->finally[1].error.code, ErrorCode::wrong_status);
  EXPECT_EQ(run->finally[1].verdict, StageVerdict::failed);
  EXPECT_EQ(rig.runs(RunVerdict::bad), 1u);
}

TEST_F(Journey, AFinallyStepThatHeldIsDoneWithLongBeforeTheRunCloses) {
  plan.transactions[0].finally = {act("close", 1s)};
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.no_more();
  rig.answer(check, Outcome::refused, check.due + 10ms, {ErrorCode::wrong_status, "503"});
  const StartCheck close = rig.next_check(0, 0, true);
  rig.hold(close, rig.now + 5ms);
  const auto run = rig.run(check);
  EXPECT_EQ(run->finally[0].verdict, StageVerdict::on_time);
  EXPECT_FALSE(run->closed);
}

TEST_F(Journey, CapturesAreBounded) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  auto held = Rig::result(Outcome::held, check.due, rig.now);
  for (int i = 0; i < 100; ++i) held.captures["key" + std::to_string(i)] = "v";
  held.captures["huge"] = std::string(5000, 'x');
  rig.feed(CheckDone{check.run, false, 0, 0, held});
  EXPECT_EQ(rig.run(check)->captures.size(), checks::kMaxCaptures);
  EXPECT_FALSE(rig.run(check)->captures.contains("huge"));
}

TEST_F(Journey, LostAndFailedOnesAreBeyondEveryEdge) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.answer(check, Outcome::unreachable, check.due + 3ms, refused());
  const StageStats ingest = rig.view()->transactions[0].stages[0];
  EXPECT_EQ(ingest.latency.counts.back(), 1u);
  EXPECT_EQ(ingest.latency.sum, 0);
  EXPECT_NE(std::find(ingest.latency.edges->begin(), ingest.latency.edges->end(), 2.0), ingest.latency.edges->end());
  EXPECT_EQ(ingest.latency.edges->back(), 8.0);
  rig.pass(6s);
  const auto percentiles = rig.view()->transactions[0].stages[0].percentiles;
  ASSERT_FALSE(percentiles.empty());
  EXPECT_EQ(percentiles[0].seconds, std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace slosonde::engine
