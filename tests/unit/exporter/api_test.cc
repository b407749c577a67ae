#include "exporter/web/api.h"

#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "exporter/web/problem.h"
#include "tests/unit/exporter/sample.h"

namespace slosonde::exporter {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> keys(const json::value& value) {
  std::vector<std::string> names;
  for (const auto& member : value.as_object()) names.emplace_back(std::string(member.key()));
  return names;
}

// What a client reads: through text and back.
json::value sent(const json::value& value) {
  return json::parse(json::serialize(value));
}

TEST(Health, SaysWhetherTheEngineTurns) {
  const auto snapshot = sample::snapshot();
  EXPECT_TRUE(health_of(snapshot.get(), sample::kNow + 10s).healthy);
  EXPECT_TRUE(health_of(snapshot.get(), sample::kNow + 10s).ready);
  const Health stuck = health_of(snapshot.get(), sample::kNow + 10s + 1ns);
  EXPECT_FALSE(stuck.healthy);
  EXPECT_FALSE(stuck.ready);
  EXPECT_THAT(stuck.why, ElementsAre(HasSubstr("has not turned for 10.0 s")));
  EXPECT_FALSE(health_of(nullptr, sample::kNow).healthy);
}

TEST(Health, ReadinessNamesTheWatchesThatAreMissing) {
  auto snapshot = sample::fresh_snapshot();
  snapshot->watches[0].state = engine::WatchState::in_sight;
  const Health health = health_of(snapshot.get(), sample::kNow);
  EXPECT_TRUE(health.healthy);
  EXPECT_FALSE(health.ready);
  EXPECT_THAT(health.why, ElementsAre(HasSubstr("webhook /hooks/alert"), HasSubstr("kafka incidents")));
  snapshot->ready = snapshot->draining = true;
  EXPECT_FALSE(health_of(snapshot.get(), sample::kNow).ready);
}

TEST(Health, SilentWitnessesAreTold) {
  auto snapshot = sample::snapshot();
  const auto told = [&] { return concerns_of(*snapshot, {}, sample::kNow); };
  EXPECT_THAT(told(), Not(testing::Contains(HasSubstr("witness")))) << "one of them answers";
  snapshot->witnesses = {false, false, false};
  EXPECT_THAT(told(), testing::Contains(HasSubstr("No witness has ever answered")));
  snapshot->silent_since = sample::kNow - 5s;
  EXPECT_THAT(told(), testing::Contains(HasSubstr("No witness has answered since 2026-01-31T09:29:55.000Z")));
  const Health silent = health_of(snapshot.get(), sample::kNow);
  EXPECT_TRUE(silent.healthy && silent.ready);
}

TEST(Api, SlosHaveExactlyTheContractedKeys) {
  const json::value view = sent(slos_view(*sample::snapshot()));
  EXPECT_THAT(keys(view), ElementsAre("slos"));
  const json::value& slo = view.at("slos").at(0);
  EXPECT_THAT(keys(slo), ElementsAre("name", "objective", "window_seconds", "good", "bad", "unjudged", "excluded",
                                     "sli", "sli_with_excluded", "coverage", "coverages", "budget_remaining",
                                     "burn_rates", "alerts", "since"));
  EXPECT_THAT(keys(slo.at("coverages")), ElementsAre("5m", "30m", "1h", "6h", "30d"));
  EXPECT_EQ(slo.at("alerts").at(0).at("kind"), "burn");
  EXPECT_EQ(slo.at("name"), "alert-delivered");
  EXPECT_EQ(slo.at("objective").as_double(), 0.999);
  EXPECT_EQ(slo.at("window_seconds").as_double(), 2592000);
  EXPECT_EQ(slo.at("good").as_int64(), 700);
  EXPECT_EQ(slo.at("bad").as_int64(), 17);
  EXPECT_EQ(json::serialize(slo.at("unjudged")), R"({"blind":0,"probe_fault":0,"missed":2,"excluded":0})");
  EXPECT_EQ(slo.at("budget_remaining").as_double(), 0.967);
  EXPECT_THAT(keys(slo.at("burn_rates")), ElementsAre("5m", "30m", "1h", "6h", "30d"));
  EXPECT_EQ(slo.at("burn_rates").at("1h").as_double(), 23.71);
  EXPECT_TRUE(slo.at("alerts").at(0).at("active").as_bool());
  EXPECT_EQ(slo.at("alerts").at(0).at("since"), "2026-01-31T09:26:40.000Z");
  EXPECT_TRUE(slo.at("alerts").at(1).at("since").is_null());
  EXPECT_EQ(slo.at("alerts").at(0).at("min_bad").as_int64(), 2);
  EXPECT_EQ(slo.at("alerts").at(0).at("fires_at").as_int64(), 11) << "0.1 % of 720 runs an hour, 14.4 times";
  EXPECT_EQ(slo.at("alerts").at(0).at("bad").as_int64(), 17);
  EXPECT_FALSE(slo.at("alerts").at(0).at("waits_for_min_bad").as_bool());
  EXPECT_EQ(slo.at("since"), "2026-01-31T08:30:00.000Z");
  const json::value& fast = view.at("slos").at(1);
  EXPECT_TRUE(fast.at("burn_rates").at("5m").is_null());
}

TEST(Api, AnSloWithoutEventsSaysNullNotZero) {
  const json::value slo = sent(slos_view(*sample::fresh_snapshot())).at("slos").at(0);
  EXPECT_TRUE(slo.at("coverage").is_null());
  EXPECT_TRUE(slo.at("budget_remaining").is_null());
  EXPECT_EQ(slo.at("good").as_int64(), 0);
}

TEST(Api, StatusFollowsTheWallClockAndShowsWatches) {
  auto snapshot = sample::snapshot();
  snapshot->wall_offset = 1h;
  const HooksView hooks{"http://127.0.0.1:9466", sample::kNow - 60s, {}};
  const json::value status = sent(status_view(*snapshot, sample::kNow + 2s, "0.1.0", hooks));
  EXPECT_EQ(status.at("probe"), "kr-a-1");
  EXPECT_EQ(status.at("now"), "2026-01-31T10:30:02.000Z");
  EXPECT_EQ(status.at("snapshot_age_seconds").as_double(), 2);
  EXPECT_TRUE(status.at("ready").as_bool());
  EXPECT_EQ(status.at("runs_in_flight").as_int64(), 2);
  EXPECT_EQ(status.at("hooks").at("listening_since"), "2026-01-31T10:29:00.000Z");
  const json::value& lost = status.at("watches").at(2);
  EXPECT_EQ(lost.at("state"), "out_of_sight");
  EXPECT_EQ(lost.at("error").at("code"), "connect_refused");
  EXPECT_TRUE(status.at("watches").at(0).at("error").is_null());
  EXPECT_EQ(status.at("witnesses").at(0).at("address"), "tcp://10.0.0.1:443");
  EXPECT_TRUE(status.at("witnesses").at(0).at("reachable").as_bool());
  EXPECT_FALSE(status.at("witnesses").at(1).at("reachable").as_bool());
  EXPECT_TRUE(status.at("witnesses").at(2).at("reachable").is_null());
}

TEST(Api, WhatIsNotAsItShouldBeIsSaidInSentences) {
  const auto snapshot = sample::snapshot();
  snapshot->state.reset();
  snapshot->witnesses.clear();
  snapshot->exclusions.clear();
  for (auto& one : snapshot->transactions) one.bad_spell.reset();
  EXPECT_THAT(concerns_of(*snapshot, {}, sample::kNow), testing::IsEmpty());
  snapshot->transactions[0].bad_spell = engine::BadSpell{sample::kNow - 126s, 63, "stage \"alert\" was not seen"};
  snapshot->transactions[1].suspended_since = sample::kNow - 60s;
  snapshot->state.emplace();
  snapshot->state->moved_aside = 1;
  snapshot->state->last_aside = "s.damaged (torn)";
  snapshot->config.emplace();
  snapshot->config->reload_succeeded = false;
  engine::ExclusionStatus exclusion;
  exclusion.name = "release";
  exclusion.active = true;
  exclusion.next = slo::WallSpan{sample::kNow - 1s, sample::kNow + 1s};
  snapshot->exclusions = {exclusion};
  HooksView hooks;
  hooks.refused = {{"/hooks/alert", 12, sample::kNow - 3s, "the token is missing or wrong"},
                   {"/hooks/old", 1, sample::kNow - 1h, "long ago"},
                   {"", 5, sample::kNow, "of no watch"}};
  EXPECT_THAT(
      concerns_of(*snapshot, hooks, sample::kNow),
      ElementsAre("log-to-alert has been bad for 126s (63 runs): stage \"alert\" was not seen",
                  "12 calls of the webhook /hooks/alert were refused, the last one 3s ago: the token is missing "
                  "or wrong",
                  HasSubstr("console is suspended since 2026-01-31T09:29:00"),
                  HasSubstr("exclusion release is active until 2026-01-31T09:30:01"), HasSubstr("s.damaged (torn)"),
                  HasSubstr("could not be reloaded")));
}

TEST(Api, TransactionsShowEachStage) {
  const json::value view = sent(transactions_view(*sample::snapshot()));
  const json::value& alert = view.at("transactions").at(0);
  EXPECT_EQ(alert.at("every_seconds").as_double(), 5);
  EXPECT_EQ(alert.at("verdicts").at("bad").as_int64(), 17);
  EXPECT_EQ(alert.at("last_verdict"), "bad");
  const json::array& stages = alert.at("stages").as_array();
  ASSERT_EQ(stages.size(), 3U);
  EXPECT_EQ(json::serialize(stages[0].at("failures")), R"({"wrong_status":3})");
  EXPECT_EQ(stages[0].at("certificate_expiry"), "2026-05-28T20:26:40.000Z");
  EXPECT_EQ(stages[1].at("mode"), "polled");
  EXPECT_EQ(stages[1].at("poll_every_seconds").as_double(), 0.5);
  EXPECT_EQ(stages[2].at("watch"), "webhook /hooks/alert");
  EXPECT_EQ(stages[2].at("from"), "incident");
  EXPECT_EQ(stages[2].at("verdicts").at("lost").as_int64(), 8);
  const json::value& p95 = stages[2].at("percentiles").at(1);
  EXPECT_EQ(p95.at("percentile").as_double(), 0.95);
  EXPECT_EQ(p95.at("point").as_double(), 9.8);
  EXPECT_EQ(p95.at("upper"), "+Inf");
}

TEST(Api, ARunIsShownWholeButForTheValuesOfItsCaptures) {
  const auto snapshot = sample::snapshot();
  const Response response = run_answer(*snapshot, sample::marker(716));
  ASSERT_EQ(response.status, 200);
  EXPECT_THAT(response.body, Not(HasSubstr("secret-capture-value")));
  const json::value run = json::parse(response.body);
  EXPECT_THAT(keys(run), ElementsAre("id", "transaction", "origin", "state", "verdict", "due", "started", "decided",
                                     "traceparent", "trace_id", "captures", "stages", "finally"));
  EXPECT_EQ(run.at("id"), json::value(sample::marker(716)));
  EXPECT_EQ(run.at("transaction"), "log-to-alert");
  EXPECT_EQ(run.at("state"), "closed");
  EXPECT_EQ(run.at("verdict"), "good");
  EXPECT_EQ(run.at("trace_id"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(json::serialize(run.at("captures")), R"(["id"])");
  const json::value& ingest = run.at("stages").at(0);
  EXPECT_EQ(ingest.at("verdict"), "on_time");
  EXPECT_EQ(ingest.at("judged"), "good");
  EXPECT_EQ(ingest.at("latency_seconds").as_double(), 0.012);
  EXPECT_EQ(json::serialize(ingest.at("phases")), R"({"connect":1E-3})");
  EXPECT_EQ(ingest.at("seen").at("to"), "2026-01-31T09:29:49.512Z");
  EXPECT_EQ(run.at("finally").as_array().size(), 1U);
}

TEST(Api, AFailedStageShowsWhatWasWrongAndARunInFlightHasNoVerdict) {
  const auto snapshot = sample::snapshot();
  const json::value failed = json::parse(run_answer(*snapshot, sample::marker(717)).body);
  EXPECT_EQ(failed.at("stages").at(0).at("error").at("code"), "wrong_status");
  EXPECT_EQ(failed.at("stages").at(0).at("judged"), "bad");
  EXPECT_EQ(failed.at("stages").at(1).at("verdict"), "skipped");
  const json::value flying = json::parse(run_answer(*snapshot, sample::marker(718)).body);
  EXPECT_EQ(flying.at("state"), "in_flight");
  EXPECT_TRUE(flying.at("verdict").is_null());
  EXPECT_TRUE(flying.at("stages").at(2).at("judged").is_null());
  EXPECT_TRUE(flying.at("stages").at(2).at("seen").is_null());
}

TEST(Api, AStageThatIsOpenForWantOfSightSaysSo) {
  const auto snapshot = sample::snapshot();
  engine::RunRecord run = *newest_runs(*snapshot, 1, [](const auto& one) { return !one.verdict; }).front();
  EXPECT_EQ(run_view(*snapshot, run).at("stages").at(2).at("waits_for_sight"), false);
  run.stages[2].waits_for_sight = true;
  EXPECT_EQ(run_view(*snapshot, run).at("stages").at(2).at("waits_for_sight"), true);
}

TEST(Api, RunsAreFilteredAndLimited) {
  const auto snapshot = sample::snapshot();
  const auto count = [&](std::string_view query) {
    const Response response = runs_answer(*snapshot, query);
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body).at("runs").as_array().size();
  };
  EXPECT_EQ(count(""), 6U);
  EXPECT_EQ(count("limit=2"), 2U);
  EXPECT_EQ(count("verdict=bad"), 2U);
  EXPECT_EQ(count("verdict=bad&limit=1"), 1U);
  EXPECT_EQ(count("transaction=log-to-alert"), 6U);
  EXPECT_EQ(count("transaction=log%2Dto%2dalert"), 6U);
  EXPECT_EQ(count("transaction=console"), 0U);
}

TEST(Api, RunsOfAllTransactionsAreShownByDueTheLatestFirst) {
  auto snapshot = sample::snapshot();
  const engine::RunList::Part runs(snapshot->runs.begin(), snapshot->runs.end());
  auto console = std::make_shared<engine::RunRecord>(*runs[3]);
  console->id = {1, 7};
  console->due = runs[1]->due + 1s;
  // As the core gives them: one transaction after the other.
  snapshot->runs.add(std::make_shared<const engine::RunList::Part>(1, console));
  const json::value view = json::parse(runs_answer(*snapshot, "limit=3").body);
  EXPECT_EQ(view.at("runs").at(0).at("id"), json::value(sample::marker(719)));
  EXPECT_EQ(view.at("runs").at(1).at("transaction"), "console");
  EXPECT_EQ(view.at("runs").at(2).at("id"), json::value(sample::marker(718)));
}

TEST(Api, NumbersAreWrittenAsPeopleWriteThem) {
  auto snapshot = sample::snapshot();
  auto plan = std::make_shared<engine::Plan>(*snapshot->plan);
  plan->transactions[0].every = 2min;
  snapshot->plan = plan;
  EXPECT_THAT(json_answer(transactions_view(*snapshot)).body, HasSubstr("\"every_seconds\":120,"));
  EXPECT_THAT(json_answer(slos_view(*snapshot)).body, HasSubstr("\"objective\":0.999,\"window_seconds\":2592000,"));
  EXPECT_THAT(run_answer(*snapshot, sample::marker(716)).body, HasSubstr("\"phases\":{\"connect\":0.001}"));
  EXPECT_EQ(json_answer(json::parse(R"({"a":[],"b":{},"c\"":[1,null,true]})")).body,
            "{\"a\":[],\"b\":{},\"c\\\"\":[1,null,true]}\n");
}

TEST(Api, WhatCannotBeMeantIsAProblemThatHelps) {
  const auto snapshot = sample::snapshot();
  const auto detail = [&](std::string_view query) {
    const Response response = runs_answer(*snapshot, query);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.content_type, "application/problem+json");
    return std::string(json::parse(response.body).at("detail").as_string());
  };
  EXPECT_THAT(detail("limit=0"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(detail("limit=-1"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(detail("limit=99999999999999999999"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(detail("limit="), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(detail("verdict=lost"), HasSubstr("verdicts are good, bad"));
  const Response unknown = run_answer(*snapshot, "sonde1-\xff<script>");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("sonde1-?<script>"));
}

TEST(Api, TextsThatAreNotUtf8AreStillJson) {
  auto snapshot = sample::snapshot();
  snapshot->watches[2].error.text = "answered \xff\xfe";
  const json::value status = sent(status_view(*snapshot, sample::kNow, "0.1.0", {}));
  EXPECT_EQ(status.at("watches").at(2).at("error").at("text"), "answered \xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace slosonde::exporter
