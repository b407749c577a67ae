#include "probe/engine/seen_items.h"
#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

using checks::EvidencePhase;
using checks::Outcome;

struct Matching : testing::Test {
  Plan plan = plan_of({log_to_alert(), console()});

  // A genuine marker of the first transaction.
  static std::string marker_of(const Rig& rig, uint64_t epoch, uint64_t seq) {
    return rig.codec.marker({rig.codec.stream("probe-a", "log-to-alert"), epoch, seq});
  }
};

TEST_F(Matching, ASecondCopyIsADuplicateAndARedeliveryIsNone) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, rig.now);
  rig.arrive(0, check.marker, 100, rig.now + 1s);
  rig.arrive(0, check.marker, 100, rig.now + 1s);
  EXPECT_EQ(rig.sightings(1, Sighting::duplicate), 0u);
  rig.arrive(0, check.marker, 101, rig.now + 1s);
  rig.arrive(0, check.marker, 101, rig.now);
  EXPECT_EQ(rig.sightings(1, Sighting::duplicate), 1u);
  EXPECT_EQ(rig.sightings(1, Sighting::first), 1u);
  EXPECT_EQ(rig.run(check)->stages[1].latency, 1s);  // the first one counts
  EXPECT_EQ(rig.run(check)->stages[1].verdict, StageVerdict::on_time);
}

TEST_F(Matching, ATextCountsAMarkerOnceHoweverOftenItNamesIt) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.arrive(0, check.marker + " / " + check.marker, 1, rig.now);
  EXPECT_EQ(rig.sightings(1, Sighting::first), 1u);
  EXPECT_EQ(rig.sightings(1, Sighting::duplicate), 0u);
  const std::string stale = marker_of(rig, kEpoch - 1, 1);
  rig.arrive(0, stale + stale, 2, rig.now);
  EXPECT_EQ(rig.sightings(1, Sighting::stale), 1u);
}

TEST_F(Matching, OfManyCopiesEachCountsOnceHoweverOftenAllAreDeliveredAgain) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, rig.now);
  for (int delivery = 0; delivery < 3; ++delivery) {
    for (uint64_t item = 0; item < SeenItems::kMost; ++item) rig.arrive(0, check.marker, item, rig.now);
  }
  EXPECT_EQ(rig.sightings(1, Sighting::first), 1u);
  EXPECT_EQ(rig.sightings(1, Sighting::duplicate), SeenItems::kMost - 1);
}

// Beyond the bound no copy goes uncounted; one that has been forgotten counts again when it is delivered again.
TEST(SeenItems, ForgetsTheOldestButTheFirstFew) {
  SeenItems items;
  const uint64_t all = SeenItems::kMost + 10;
  for (uint64_t item = 0; item < all; ++item) EXPECT_TRUE(items.add(item));
  for (uint64_t item = 0; item < SeenItems::kInline; ++item) EXPECT_FALSE(items.add(item));
  for (uint64_t item = SeenItems::kInline + 10; item < all; ++item) EXPECT_FALSE(items.add(item)) << item;
  EXPECT_TRUE(items.add(SeenItems::kInline));
}

TEST_F(Matching, DuplicatesAreToldAsLongAsLateOnesAre) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.no_more();
  rig.hold(check, rig.now);
  rig.arrive(0, check.marker, 1, rig.now);
  rig.arrive(1, check.marker, 1, rig.now);
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::good);
  rig.arrive(0, check.marker, 2, check.due + 120s - 1ns);
  EXPECT_EQ(rig.sightings(1, Sighting::duplicate), 1u);
  rig.to(check.due + 120s);
  EXPECT_TRUE(rig.run(check)->closed);
  rig.arrive(0, check.marker, 3, rig.now);
  EXPECT_EQ(rig.sightings(1, Sighting::duplicate), 1u);
  EXPECT_EQ(rig.sightings(1, Sighting::stale), 1u);
}

TEST_F(Matching, GenuineMarkersOfNoOpenRunAreStaleOrUnexpected) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.arrive(0, marker_of(rig, kEpoch, check.run.seq + 1), 1, rig.now);
  EXPECT_EQ(rig.sightings(1, Sighting::unexpected), 1u);
  rig.arrive(0, marker_of(rig, kEpoch - 1, check.run.seq), 2, rig.now);
  rig.arrive(0, marker_of(rig, kEpoch + 1, check.run.seq), 3, rig.now);
  EXPECT_EQ(rig.sightings(1, Sighting::stale), 2u);
  EXPECT_EQ(rig.sightings(2, Sighting::stale), 0u);  // another watch
  EXPECT_FALSE(rig.run(check)->stages[1].seen_hi);
}

TEST_F(Matching, OtherKeysAndOtherProbesAreForeign) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  const ledger::MarkerCodec other(Secret("another key"));
  rig.arrive(0, other.marker({rig.codec.stream("probe-a", "log-to-alert"), kEpoch, check.run.seq}), 1, rig.now);
  rig.arrive(0, rig.codec.marker({rig.codec.stream("probe-b", "log-to-alert"), kEpoch, check.run.seq}), 2, rig.now);
  EXPECT_EQ(rig.sightings(1, Sighting::foreign), 2u);
  EXPECT_FALSE(rig.run(check)->stages[1].seen_hi);
}

TEST_F(Matching, OnlyEvidenceOfTheStagesPhaseCounts) {
  plan.transactions[0].stages[2].phase = EvidencePhase::resolved;
  plan.transactions[0].stages[2].watch = 0;
  plan.transactions[0].stages[1].phase = EvidencePhase::firing;
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, rig.now);
  rig.arrive(0, check.marker, 1, rig.now + 1s, EvidencePhase::none);
  EXPECT_FALSE(rig.run(check)->stages[1].seen_hi);
  rig.arrive(0, check.marker, 1, rig.now + 1s, EvidencePhase::firing);
  EXPECT_EQ(rig.run(check)->stages[1].verdict, StageVerdict::on_time);
  EXPECT_FALSE(rig.run(check)->stages[2].seen_hi);
  rig.arrive(0, check.marker, 1, rig.now + 1s, EvidencePhase::resolved);
  EXPECT_EQ(rig.run(check)->stages[2].verdict, StageVerdict::on_time);
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::good);
  EXPECT_EQ(rig.sightings(1, Sighting::duplicate), 0u);
}

TEST_F(Matching, ReorderedIsWhatWasProvablySeenBeforeAnEarlierStage) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.arrive(1, check.marker, 1, check.due + 1s);
  rig.arrive(0, check.marker, 1, check.due + 2s - 1ms);
  // The answer was under way from `due` on: what came meanwhile is in order.
  rig.hold(check, check.due + 2s);
  EXPECT_EQ(rig.sightings(2, Sighting::reordered), 1u);
  EXPECT_EQ(rig.sightings(2, Sighting::first), 1u);
  EXPECT_EQ(rig.sightings(1, Sighting::reordered), 0u);
  const auto run = rig.run(check);
  EXPECT_EQ(run->verdict, RunVerdict::good);
  EXPECT_EQ(run->stages[1].hop, Duration::zero());
  EXPECT_EQ(run->stages[2].hop, Duration::zero());
}

TEST_F(Matching, GarbageAndForeignTextLeaveNothingBehind) {
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, rig.now);
  const ledger::MarkerCodec other(Secret("another key"));
  const size_t before = rig.view()->runs.size();
  for (uint64_t i = 0; i < 2000; ++i) {
    rig.sight(0, "garbage sonde1-aaaa " + other.marker({i, i, i}), i, rig.now, rig.now);
  }
  EXPECT_EQ(rig.sightings(1, Sighting::foreign), 2000u);
  EXPECT_EQ(rig.view()->runs.size(), before);
  rig.arrive(0, check.marker, 1, rig.now + 1s);
  EXPECT_EQ(rig.run(check)->stages[1].verdict, StageVerdict::on_time);
}

TEST_F(Matching, OnePieceOfEvidenceMaySpeakForManyRuns) {
  Rig rig(plan);
  std::vector<StartCheck> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(rig.next_check(0, 0));
    rig.hold(all.back(), rig.now);
  }
  std::string text;
  for (const StartCheck& check : all) text += "{\"m\":\"" + check.marker + "\",\"p\":\"" + check.payload + "\"},";
  rig.arrive(0, text, 1, rig.now + 1s);
  for (const StartCheck& check : all) EXPECT_EQ(rig.run(check)->stages[1].verdict, StageVerdict::on_time);
}

struct Polling : testing::Test {
  Plan plan = plan_of({write_and_read()});
  Polling() { plan.slos = {slo_of("read", 0, 1)}; }
};

TEST_F(Polling, APollAsksAgainUntilItsOwnMarkerIsThere) {
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.hold(write, write.due + 30ms);
  const StartCheck first = rig.next_check(0, 1);
  EXPECT_EQ(rig.now, write.due + 30ms);  // as soon as the stage before is seen
  EXPECT_TRUE(first.polling);
  EXPECT_EQ(first.attempt, 0u);
  EXPECT_EQ(first.deadline, rig.now + 500ms);
  rig.answer(first, Outcome::held, rig.now + 100ms, {}, "nothing of ours");
  const StartCheck second = rig.next_check(0, 1);
  EXPECT_EQ(rig.now, write.due + 1030ms);  // from one start to the next
  EXPECT_EQ(second.attempt, 1u);
  rig.to(rig.now + 80ms);
  auto shown = Rig::result(Outcome::held, second.due + 1031ms, rig.now);
  shown.evidence = "found: " + write.marker;
  rig.feed(CheckDone{second.run, false, 1, 1, shown});
  const auto run = rig.run(write);
  EXPECT_EQ(run->stages[1].verdict, StageVerdict::on_time);
  EXPECT_EQ(run->stages[1].attempts, 2u);
  EXPECT_EQ(run->stages[1].seen_lo, write.due + 30ms);  // the first poll did not show it
  EXPECT_EQ(run->stages[1].seen_hi, write.due + 1110ms);
  EXPECT_EQ(run->verdict, RunVerdict::good);
  EXPECT_TRUE(run->closed);  // nothing is watched: there is nothing to wait for
  EXPECT_FALSE(run->stages[1].error);
}

TEST_F(Polling, ValidAnswersWithoutTheMarkerMeanLost) {
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.hold(write, write.due + 30ms);
  for (int i = 0; i < 10; ++i) {
    const StartCheck poll = rig.next_check(0, 1);
    rig.answer(poll, i % 2 ? Outcome::held : Outcome::not_yet, rig.now + 10ms, {ErrorCode::wrong_body, "not there"});
  }
  rig.to(write.due + 10s);
  const auto run = rig.run(write);
  EXPECT_EQ(run->stages[1].verdict, StageVerdict::lost);
  EXPECT_EQ(run->stages[1].decided, write.due + 10s);
  EXPECT_EQ(run->stages[1].attempts, 10u);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 1u);
}

TEST_F(Polling, AStoreThatCannotBeReachedIsAFailureAndBad) {
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.hold(write, write.due + 30ms);
  for (int i = 0; i < 10; ++i) {
    const StartCheck poll = rig.next_check(0, 1);
    rig.answer(poll, Outcome::unreachable, rig.now + 1ms, {ErrorCode::connect_refused, "no store"});
  }
  rig.to(write.due + 10s);
  EXPECT_EQ(rig.run(write)->stages[1].verdict, StageVerdict::failed);
  EXPECT_EQ(rig.run(write)->stages[1].error.code, ErrorCode::connect_refused);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 1u);
}

TEST_F(Polling, AnAttemptThatHangsIsGivenUpAndTheNextOneMayFindIt) {
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.hold(write, write.due + 30ms);
  rig.next_check(0, 1);
  const StartCheck second = rig.next_check(0, 1);
  EXPECT_EQ(second.attempt, 1u);
  EXPECT_EQ(rig.cancels.size(), 1u);
  EXPECT_EQ(rig.now, write.due + 1030ms);
  rig.answer(second, Outcome::held, rig.now + 10ms, {}, write.marker);
  EXPECT_EQ(rig.run(write)->stages[1].verdict, StageVerdict::on_time);
  EXPECT_EQ(rig.run(write)->stages[1].seen_lo, write.due);  // the hanging one has shown nothing
}

TEST_F(Polling, OurOwnFaultInTheLastAttemptIsNotTheStores) {
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.hold(write, write.due + 30ms);
  for (int i = 0; i < 10; ++i) {
    const StartCheck poll = rig.next_check(0, 1);
    rig.answer(poll, Outcome::probe_fault, rig.now + 1ms, {ErrorCode::no_descriptors, "no descriptors"});
  }
  rig.to(write.due + 10s);
  EXPECT_EQ(rig.run(write)->verdict, RunVerdict::probe_fault);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 0u);
  EXPECT_EQ(rig.view()->slos[0].unjudged_total.probe_fault, 1u);
}

// Held up while a poll was under way: what it says, and that it says nothing, is no fault of the store's.
TEST_F(Polling, AnAnswerThatWeCameToReadLongAfterTheLimitIsOurFault) {
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.hold(write, write.due + 30ms);
  const StartCheck poll = rig.next_check(0, 1);
  rig.no_more();
  rig.now = write.due + 15s;
  auto shown = Rig::result(Outcome::held, poll.due + 31ms, rig.now);
  shown.evidence = write.marker;
  rig.feed(CheckDone{poll.run, false, 1, 0, shown});
  EXPECT_EQ(rig.run(write)->verdict, RunVerdict::probe_fault);
  EXPECT_EQ(rig.run(write)->stages[1].verdict, StageVerdict::unseen);
  EXPECT_EQ(rig.run(write)->stages[1].decided, write.due + 10s);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 0u);
  EXPECT_EQ(rig.view()->slos[0].unjudged_total.probe_fault, 1u);
}

TEST_F(Polling, AnAnswerStampedInTimeCountsHoweverLateWeReadIt) {
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.hold(write, write.due + 30ms);
  const StartCheck poll = rig.next_check(0, 1);
  rig.no_more();
  rig.now = write.due + 15s;
  auto shown = Rig::result(Outcome::held, poll.due + 31ms, write.due + 10s);
  shown.evidence = write.marker;
  rig.feed(CheckDone{poll.run, false, 1, 0, shown});
  EXPECT_EQ(rig.run(write)->stages[1].verdict, StageVerdict::on_time);
  EXPECT_EQ(rig.run(write)->verdict, RunVerdict::good);
}

TEST_F(Polling, AStallOverTheLimitIsOurFaultWhetherAPollIsUnderWayOrWasToFollow) {
  for (const bool under_way : {true, false}) {
    Rig rig(plan);
    const StartCheck write = rig.next_check(0, 0);
    rig.hold(write, write.due + 30ms);
    const StartCheck poll = rig.next_check(0, 1);
    rig.no_more();
    if (!under_way) rig.answer(poll, Outcome::not_yet, rig.now + 10ms, {ErrorCode::wrong_body, "not there"});
    rig.stall_to(write.due + 15s);
    EXPECT_EQ(rig.run(write)->verdict, RunVerdict::probe_fault) << under_way;
    EXPECT_EQ(rig.view()->slos[0].bad_total, 0u) << under_way;
  }
}

TEST_F(Polling, AStallThatLeavesTimeCostsOnlyAPoll) {
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.hold(write, write.due + 30ms);
  rig.next_check(0, 1);
  rig.no_more();
  rig.stall_to(write.due + 7s);
  const StartCheck second = rig.next_check(0, 1);
  EXPECT_EQ(second.attempt, 1u);
  EXPECT_EQ(second.deadline, rig.now + 500ms);
  rig.answer(second, Outcome::held, rig.now + 10ms, {}, write.marker);
  EXPECT_EQ(rig.run(write)->stages[1].verdict, StageVerdict::on_time);
}

TEST_F(Polling, TheMarkersOfOthersInAPollAreNotCounted) {
  Rig rig(plan);
  const StartCheck write = rig.next_check(0, 0);
  rig.hold(write, write.due + 30ms);
  const ledger::MarkerCodec other(Secret("another key"));
  const StartCheck poll = rig.next_check(0, 1);
  rig.answer(poll, Outcome::held, rig.now + 10ms, {}, other.marker({1, 2, 3}) + rig.codec.marker({1, 2, 3}));
  const auto view = rig.view();
  for (const uint64_t count : view->transactions[0].stages[1].sightings) EXPECT_EQ(count, 0u);
}

TEST_F(Polling, AStageThatStartsAfterOneNeverSeenIsSkippedAtItsLimit) {
  plan.transactions[0].stages = {act("ingest", 2s), watched("incident", 5s, 0), polled("read", 10s, 1s, 500ms)};
  plan.transactions[0].linger = 60s;
  plan.slos = {slo_of("read", 0, 2)};
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  rig.to(check.due + 10s - 1ns);
  EXPECT_FALSE(rig.run(check)->stages[2].verdict);
  rig.to(check.due + 10s);
  EXPECT_EQ(rig.run(check)->stages[2].verdict, StageVerdict::skipped);
  EXPECT_EQ(rig.view()->slos[0].bad_total, 1u);
}

TEST_F(Polling, ALateSightingStillStartsTheStageAfterIt) {
  plan.transactions[0].stages = {act("ingest", 2s), watched("incident", 5s, 0), polled("read", 10s, 1s, 500ms)};
  plan.transactions[0].linger = 60s;
  Rig rig(plan);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  rig.arrive(0, check.marker, 1, check.due + 7s);
  const StartCheck poll = rig.next_check(0, 2);
  EXPECT_EQ(rig.now, check.due + 7s);
  rig.answer(poll, Outcome::held, rig.now + 10ms, {}, check.marker);
  EXPECT_EQ(rig.run(check)->stages[1].verdict, StageVerdict::late);
  EXPECT_EQ(rig.run(check)->stages[2].verdict, StageVerdict::on_time);
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::bad);
}

}  // namespace
}  // namespace slosonde::engine
