// Whose fault is silence? The witnesses say whether our own network works.
#include "probe/engine/witness_log.h"
#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

using checks::Outcome;

const Error kSilent{ErrorCode::connect_timeout, "10.1.2.3:443 does not answer"};
const Error kRefused{ErrorCode::connect_refused, "10.1.2.3:443 refuses connections"};
const Error kBrokerSilent{ErrorCode::timeout, "no broker of 10.1.2.4:9092 answers"};

struct Witness : testing::Test {
  Plan plan = plan_of({log_to_alert()});
  std::unique_ptr<Rig> rig;
  StartCheck check;
  Instant asked{};

  Witness() { plan.witnesses = {"tcp://10.0.0.1:443", "tcp://10.0.0.2:443"}; }

  // Up to the first check, with a network that works.
  void begin() {
    rig = std::make_unique<Rig>(plan);
    check = rig->next_check(0, 0);
    rig->no_more();
    round(rig->now, true, true);
  }
  // Asked at `at`, and known 900 ms later unless one answers.
  void round(Instant at, bool first, bool second) {
    asked = at;
    rig->just_to(at + (first || second ? 1ms : 900ms));
    rig->feed(WitnessSaid{0, at, first});
    rig->feed(WitnessSaid{1, at, second});
  }
  void silence_to(Instant t) {
    while (asked + 1900ms <= t) round(asked + 1s, false, false);
    rig->to(t);
  }
  void answers_to(Instant t) {
    while (asked + 1001ms <= t) round(asked + 1s, true, false);
    rig->to(t);
  }
  StageRecord stage(size_t i) { return rig->run(check)->stages[i]; }
  SloStatus slo(size_t i = 0) { return rig->view()->slos[i]; }
};

TEST_F(Witness, WhenTheyAreSilentTooAFailureIsOurOwn) {
  plan.slos = {slo_of("run", 0)};
  begin();
  rig->answer(check, Outcome::unreachable, check.due + 500ms, kSilent);
  EXPECT_FALSE(stage(0).verdict);  // who knows?
  silence_to(check.due + 3s);
  EXPECT_EQ(stage(0).verdict, StageVerdict::unseen);
  EXPECT_EQ(stage(0).error.code, ErrorCode::io_failed);
  EXPECT_NE(stage(0).error.text.find(kSilent.text), std::string::npos);
  EXPECT_NE(stage(0).error.text.find("no witness"), std::string::npos);
  EXPECT_EQ(stage(0).decided, asked - 1s + 900ms);  // when it was known
  EXPECT_EQ(stage(2).verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::probe_fault);
  EXPECT_EQ(slo().bad_total, 0u);
  EXPECT_EQ(slo().unjudged_total.probe_fault, 1u);
  EXPECT_EQ(rig->notices(Notice::Kind::network_lost), 1u);
  EXPECT_TRUE(rig->view()->silent_since);
}

TEST_F(Witness, WhenOneAnswersItIsTheTargets) {
  begin();
  rig->answer(check, Outcome::unreachable, check.due + 500ms, kSilent);
  EXPECT_FALSE(stage(0).verdict);
  round(check.due + 1s, false, true);
  EXPECT_EQ(stage(0).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(0).error, kSilent);
  EXPECT_EQ(stage(0).decided, rig->now);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::bad);
}

TEST_F(Witness, ARefusalIsTheTargetsWhateverTheySay) {
  begin();
  silence_to(check.due + 1s);
  rig->answer(check, Outcome::unreachable, check.due + 1500ms, kRefused);
  EXPECT_EQ(stage(0).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(0).decided, check.due + 1500ms);
}

TEST_F(Witness, WhenNothingIsHeardOfThemForFiveSecondsItIsTheTargets) {
  begin();
  rig->answer(check, Outcome::unreachable, check.due + 500ms, kSilent);
  rig->to(check.due + 5499ms);
  EXPECT_FALSE(stage(0).verdict);
  rig->to(check.due + 5500ms);
  EXPECT_EQ(stage(0).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(0).decided, check.due + 5500ms);
}

TEST_F(Witness, WithoutWitnessesNothingWaits) {
  plan.witnesses.clear();
  rig = std::make_unique<Rig>(plan);
  check = rig->next_check(0, 0);
  rig->answer(check, Outcome::unreachable, check.due + 500ms, kSilent);
  EXPECT_EQ(stage(0).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(0).decided, check.due + 500ms);
}

TEST_F(Witness, ACheckThatNeverAnswersIsOurOwnFaultToo) {
  begin();
  silence_to(check.due + 4s);
  EXPECT_EQ(stage(0).verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::probe_fault);
}

TEST_F(Witness, ACheckThatNeverAnswersIsBadWhileTheyDo) {
  begin();
  answers_to(check.due + 4s);
  EXPECT_EQ(stage(0).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(0).error.code, ErrorCode::timeout);
}

// What follows from an act is not lost while nobody knows whether the act has failed by us.
TEST_F(Witness, WhatFollowsFromAnActWaitsWithIt) {
  plan.transactions[0].stages = {act("ingest", 2s), watched("alert", 2s, 1)};
  plan.slos = {slo_of("alert", 0, 1), slo_of("fast", 0, 1, 1s)};
  begin();
  silence_to(check.due + 4s);
  EXPECT_EQ(stage(1).verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::probe_fault);
  for (const size_t i : {0, 1}) {
    EXPECT_EQ(slo(i).bad_total, 0u) << i;
    EXPECT_EQ(slo(i).unjudged_total.probe_fault, 1u) << i;
  }
}

TEST_F(Witness, ASlowAnswerIsNotSlowByTheTargetWhileOurNetworkWasDown) {
  plan.transactions[0].stages = {act("ingest", 10s)};
  plan.slos = {slo_of("fast", 0, 0, 2s)};
  begin();
  silence_to(check.due + 4s);
  answers_to(check.due + 4500ms);
  rig->hold(check, check.due + 4600ms);
  EXPECT_EQ(stage(0).verdict, StageVerdict::on_time);
  EXPECT_EQ(slo().bad_total, 0u);
  EXPECT_EQ(slo().unjudged_total.probe_fault, 1u);
}

TEST_F(Witness, ASlowAnswerIsSlowWhileTheyAnswer) {
  plan.transactions[0].stages = {act("ingest", 10s)};
  plan.slos = {slo_of("fast", 0, 0, 2s)};
  begin();
  answers_to(check.due + 4500ms);
  EXPECT_EQ(slo().bad_total, 1u);
}

TEST_F(Witness, APollThatFailedToTheEndIsOurOwnFault) {
  plan.transactions = {write_and_read()};
  begin();
  rig->hold(check, check.due + 1ms);
  StartCheck poll;
  while (rig->now < check.due + 9s) {
    poll = rig->next_check(0, 1);
    rig->answer(poll, Outcome::unreachable, rig->now + 100ms, kSilent);
    silence_to(rig->now);
  }
  silence_to(check.due + 13s);
  EXPECT_EQ(stage(1).verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::probe_fault);
}

TEST_F(Witness, APollThatFailedToTheEndIsBadWhileTheyAnswer) {
  plan.transactions = {write_and_read()};
  begin();
  rig->hold(check, check.due + 1ms);
  while (rig->now < check.due + 9s) {
    const StartCheck poll = rig->next_check(0, 1);
    rig->answer(poll, Outcome::unreachable, rig->now + 100ms, kSilent);
    answers_to(rig->now);
  }
  answers_to(check.due + 13s);
  EXPECT_EQ(stage(1).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(1).error, kSilent);
}

// A run whose ingest has held and whose alert has come; then our network goes, and with it the incidents' place.
struct Place : Witness {
  void begin_and_lose(bool first, bool second) {
    plan.slos = {slo_of("incident", 0, 1), slo_of("fast", 0, 1, 20s)};
    begin();
    rig->hold(check, check.due + 1ms);
    rig->arrive(1, check.marker, 1, check.due + 2ms);
    answers_to(check.due + 8s);
    rig->in_sight[0] = false;
    round(asked + 1s, first, second);
    rig->to(check.due + 10s);
    rig->blind(0, kBrokerSilent);
  }
};

TEST_F(Place, ThatCannotBeReachedOverOurNetworkIsOutOfOurSight) {
  begin_and_lose(false, false);
  silence_to(check.due + 60s);
  EXPECT_FALSE(stage(1).bad);
  EXPECT_FALSE(rig->run(check)->verdict);
  answers_to(check.due + 65s);
  // It is found again, and what came meanwhile is read back.
  rig->sight(0, check.marker, 1, check.due + 3s, check.due + 4s);
  EXPECT_EQ(stage(1).verdict, StageVerdict::on_time);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::good);
  EXPECT_EQ(slo(0).good_total, 1u);
  EXPECT_EQ(slo(1).good_total, 1u);
}

TEST_F(Place, ThatNeverComesBackHasFailedOnceItCouldBeFoundAgain) {
  begin_and_lose(false, false);
  silence_to(check.due + 60s);
  const Instant end = asked + 900ms;
  answers_to(end + 15s - 1ns);
  EXPECT_FALSE(stage(1).bad);
  EXPECT_EQ(slo(1).bad_total, 0u);
  answers_to(end + 15s);
  EXPECT_EQ(stage(1).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(1).decided, end + 15s);  // no count is put into the past
  EXPECT_EQ(slo(0).bad_total, 1u);
  EXPECT_EQ(slo(1).bad_total, 1u);
}

TEST_F(Place, ThatIsNotSeenToTheEndIsUnseen) {
  begin_and_lose(false, false);
  silence_to(check.due + 30s + plan.settle);
  EXPECT_EQ(stage(1).verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::blind);
  EXPECT_EQ(slo(0).unjudged_total.blind, 1u);
  EXPECT_EQ(slo(1).unjudged_total.blind, 1u);
}

TEST_F(Place, ThatFailsWhileOneAnswersIsBadAtTheLimit) {
  begin_and_lose(true, false);
  answers_to(check.due + 31s);
  EXPECT_EQ(stage(1).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(1).decided, check.due + 30s);
  EXPECT_EQ(slo(1).bad_total, 1u);
}

TEST_F(Place, ThatFailedBeforeOurNetworkDidIsBadAtTheLimit) {
  begin_and_lose(true, false);
  answers_to(check.due + 25s);
  silence_to(check.due + 31s);
  EXPECT_EQ(stage(1).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(1).decided, check.due + 30s);
}

// It is told again and again that it has failed: that must not put the decision off.
TEST_F(Place, ThatFailsAnewAllTheTimeIsBadWhenNothingIsHeardOfThem) {
  begin_and_lose(true, true);
  rig->in_sight[0] = true;
  rig->to(check.due + 29500ms);
  rig->in_sight[0] = false;
  for (int i = 0; i < 20; ++i) {
    rig->blind(0, kBrokerSilent);
    rig->pass(500ms);
  }
  EXPECT_EQ(stage(1).verdict, StageVerdict::failed);
  EXPECT_EQ(stage(1).decided, check.due + 34500ms);
}

TEST_F(Witness, WhatWaitsForThemGoesOnOverAReload) {
  begin();
  rig->answer(check, Outcome::unreachable, check.due + 500ms, kSilent);
  Plan next = *rig->plan;
  next.max_lateness = 2s;
  rig->reload(next);
  silence_to(check.due + 3s);
  EXPECT_EQ(stage(0).verdict, StageVerdict::unseen);
  EXPECT_EQ(rig->run(check)->verdict, RunVerdict::probe_fault);
}

TEST_F(Witness, WhatWaitsForThemIsOursWhenItsTransactionChanges) {
  begin();
  rig->answer(check, Outcome::unreachable, check.due + 500ms, kSilent);
  Plan next = *rig->plan;
  next.transactions[0].stages[0].within = 3s;
  rig->reload(next);
  EXPECT_EQ(rig->closed.size(), 1u);
  EXPECT_EQ(rig->closed.at(0)->verdict, RunVerdict::probe_fault);
}

TEST_F(Witness, OneThatStaysWhileOthersComeIsStillKnownToHaveAnswered) {
  begin();
  silence_to(check.due + 1900ms);
  const auto since = rig->view()->silent_since;
  ASSERT_TRUE(since);
  Plan next = *rig->plan;
  next.witnesses = {"tcp://10.0.0.3:443", "tcp://10.0.0.1:443"};
  rig->reload(next);
  EXPECT_EQ(rig->view()->silent_since, since) << "or an outage of our own network would turn into everybody else's";
  EXPECT_EQ(rig->view()->witnesses, (std::vector<std::optional<bool>>{std::nullopt, false}));
}

TEST_F(Witness, OthersBeginAnew) {
  begin();
  silence_to(check.due + 1900ms);
  ASSERT_TRUE(rig->view()->silent_since);
  Plan next = *rig->plan;
  next.witnesses = {"tcp://10.0.0.3:443"};
  EXPECT_EQ(plan_changes(*rig->plan, next).at(0).text, "witness");
  rig->reload(next);
  EXPECT_FALSE(rig->view()->silent_since);
  EXPECT_EQ(rig->view()->witnesses, (std::vector<std::optional<bool>>{std::nullopt}));
}

}  // namespace
}  // namespace slosonde::engine
