#include "tests/unit/exporter/sample.h"

#include <cstdio>
#include <limits>
#include <utility>

namespace slosonde::exporter::sample {

using namespace std::chrono_literals;
using namespace engine;

namespace {

StagePlan stage(std::string name, StageMode mode, Duration within) {
  StagePlan plan;
  plan.name = std::move(name);
  plan.mode = mode;
  plan.within = within;
  return plan;
}

std::shared_ptr<const Plan> plan() {
  auto plan = std::make_shared<Plan>();
  plan->probe = "kr-a-1";
  plan->region = "kr";
  plan->zone = "kr-a";
  TransactionPlan alert;
  alert.name = "log-to-alert";
  alert.every = 5s;
  alert.max_in_flight = 13;
  alert.stages = {stage("ingest", StageMode::done, 2s), stage("incident", StageMode::polled, 30s),
                  stage("alert", StageMode::watched, 60s)};
  alert.stages[1].poll_every = 500ms;
  alert.stages[2].watch = 1;
  alert.stages[2].from = 1;
  alert.finally = {stage("close", StageMode::done, 5s)};
  TransactionPlan console;
  console.name = "console";
  console.every = 15s;
  console.stages = {stage("up", StageMode::done, 2s)};
  plan->transactions = {alert, console};
  plan->witnesses = {"tcp://10.0.0.1:443", "tcp://10.0.0.2:443", "tcp://10.0.0.3:443"};
  plan->watches = {{"kafka incidents", "kafka"}, {"webhook /hooks/alert", "webhook"}, {"kafka incidents", "kafka"}};
  SloPlan delivered;
  delivered.name = "alert-delivered";
  delivered.objective_ppb = 999'000'000;
  delivered.window = 24h * 30;
  delivered.stage = 2;
  SloPlan fast;
  fast.name = "incident-fast";
  fast.objective_ppb = 950'000'000;
  fast.window = 24h * 30;
  fast.stage = 1;
  fast.faster_than = 13s;
  plan->slos = {delivered, fast};
  return plan;
}

Histogram histogram(std::vector<double> edges) {
  Histogram made;
  made.counts.assign(edges.size() + 1, 0);
  made.edges = std::make_shared<const std::vector<double>>(std::move(edges));
  return made;
}

Histogram filled(std::vector<double> edges, std::vector<uint64_t> counts, double sum) {
  Histogram made = histogram(std::move(edges));
  made.counts = std::move(counts);
  made.sum = sum;
  return made;
}

StageStats stage_stats(double limit) {
  StageStats stats;
  stats.latency = histogram({limit / 4, limit, limit * 4});
  stats.hop = stats.latency;
  for (Histogram& phase : stats.phases) phase = histogram({0.01, 1});
  return stats;
}

WindowStatus window(Duration length, uint64_t good, uint64_t bad, std::optional<double> burn) {
  WindowStatus status;
  status.window = length;
  status.good = good;
  status.bad = bad;
  status.burn_rate = burn;
  if (burn) status.coverage = 1.0;
  return status;
}

StageRecord seen(Instant due, Duration latency, StageVerdict verdict = StageVerdict::on_time) {
  StageRecord record;
  record.verdict = verdict;
  record.bad = verdict != StageVerdict::on_time;
  record.started = due;
  record.seen_lo = record.seen_hi = record.decided = due + latency;
  record.latency = latency;
  record.attempts = 1;
  return record;
}

std::shared_ptr<RunRecord> run(uint64_t seq, Instant due) {
  auto record = std::make_shared<RunRecord>();
  record->id = {0, seq};
  record->marker = marker(seq);
  record->traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  record->due = record->started = due;
  record->stages.resize(3);
  record->finally.resize(1);
  return record;
}

std::shared_ptr<const RunRecord> good_run(uint64_t seq, Instant due) {
  auto record = run(seq, due);
  record->stages = {seen(due, 12ms), seen(due, 1310ms), seen(due, 2460ms)};
  record->stages[0].phases[static_cast<size_t>(checks::Phase::connect)] = 1ms;
  record->stages[1].hop = 1298ms;
  record->verdict = RunVerdict::good;
  record->decided = due + 2460ms;
  record->closed = true;
  record->captures = {{"id", "secret-capture-value"}};
  return record;
}

std::shared_ptr<const RunRecord> lost_run(uint64_t seq, Instant due) {
  auto record = run(seq, due);
  record->stages = {seen(due, 14ms), seen(due, 1420ms), {}};
  record->stages[2].verdict = StageVerdict::lost;
  record->stages[2].bad = true;
  record->stages[2].decided = due + 60s;
  record->verdict = RunVerdict::bad;
  record->decided = due + 60s;
  record->closed = true;
  return record;
}

std::shared_ptr<const RunRecord> failed_run(uint64_t seq, Instant due) {
  auto record = run(seq, due);
  record->stages[0] = seen(due, 3ms, StageVerdict::failed);
  record->stages[0].error = {ErrorCode::wrong_status,
                             "http://127.0.0.1:8080/v1/logs answered 503, expected 200 or 202"};
  record->stages[0].latency.reset();
  record->stages[1].verdict = record->stages[2].verdict = StageVerdict::skipped;
  record->verdict = RunVerdict::bad;
  record->decided = due + 3ms;
  record->closed = true;
  return record;
}

std::shared_ptr<const RunRecord> flying_run(uint64_t seq, Instant due) {
  auto record = run(seq, due);
  record->stages[0] = seen(due, 11ms);
  return record;
}

void fill_stages(TransactionStats& stats) {
  StageStats& ingest = stats.stages[0];
  ingest.verdicts = {716, 0, 0, 0, 3, 0, 0};
  ingest.failures[static_cast<size_t>(ErrorCode::wrong_status)] = 3;
  ingest.latency = filled({0.5, 2, 8}, {716, 0, 0, 3}, 9.25);
  ingest.sightings = {716, 0, 0, 0, 0, 0, 0, 0};
  ingest.certificate_expiry = instant_from_unix_ns(1'780'000'000'000'000'000);
  ingest.phases[static_cast<size_t>(checks::Phase::connect)] = filled({0.01, 1}, {700, 19, 0}, 1.5);
  StageStats& incident = stats.stages[1];
  incident.verdicts = {709, 2, 5, 0, 0, 3, 0};
  incident.latency = filled({7.5, 30, 120}, {700, 9, 2, 5}, 1012.5);
  incident.hop = incident.latency;
  incident.sightings = {711, 2, 4, 1, 0, 0, 0, 0};
  StageStats& alert = stats.stages[2];
  alert.verdicts = {700, 0, 8, 1, 0, 8, 0};
  alert.latency = filled({15, 60, 240}, {698, 2, 0, 8}, 1802);
  alert.hop = alert.latency;
  alert.sightings = {701, 0, 0, 0, 1, 6, 2, 0};
  const auto add = [](StageStats& to, double which, double lower, double point, double upper) {
    to.percentiles.push_back({which, 1h, Bound::lower, lower});
    to.percentiles.push_back({which, 1h, Bound::point, point});
    to.percentiles.push_back({which, 1h, Bound::upper, upper});
  };
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  add(ingest, 0.5, 0.0112, 0.0119, 0.0124);
  add(ingest, 0.95, 0.0187, 0.0213, 0.0302);
  add(incident, 0.5, 1.28, 1.31, 1.34);
  add(incident, 0.95, 2.9, 3.44, 5.1);
  add(alert, 0.5, 2.41, 2.46, 2.52);
  add(alert, 0.95, 6.4, 9.8, kInfinite);
}

void fill_slos(Snapshot& snapshot, Instant now) {
  SloStatus& delivered = snapshot.slos[0];
  delivered.good_total = 700;
  delivered.bad_total = 17;
  delivered.unjudged_total.missed = 2;
  delivered.period = window(24h * 30, 700, 17, 23.71);
  delivered.period.unjudged.missed = 2;
  delivered.period.coverage = 717.0 / 719.0;
  delivered.windows = {window(5min, 52, 8, 133.3), window(30min, 343, 17, 47.2), window(1h, 700, 17, 23.71),
                       window(6h, 700, 17, 23.71)};
  delivered.budget_remaining = 0.967;
  delivered.budget_remaining_observed = -22.7;
  delivered.alerts = {{"14.4x1h", "page", 14.4, 1h, 5min, 11, true, now - 200s},
                      {"6x6h", "page", 6, 6h, 30min, 26, false, {}},
                      {"3x1d", "ticket", 3, 24h, 2h, 52, false, {}}};
  SloStatus& fast = snapshot.slos[1];
  fast.good_total = 711;
  fast.bad_total = 5;
  fast.period = window(24h * 30, 711, 5, 0.14);
  fast.windows = {window(5min, 0, 0, std::nullopt), window(1h, 711, 5, 0.14)};
  fast.budget_remaining = 0.999;
  fast.budget_remaining_observed = 0.86;
  fast.alerts = {{"14.4x1h", "page", 14.4, 1h, 5min, 519, false, {}}};
}

}  // namespace

std::string marker(uint64_t seq) {
  char text[64];
  std::snprintf(text, sizeof text, "sonde1-k3f9a2b1-0000m8z-%05llu-q7w2e9r4t6y1", static_cast<unsigned long long>(seq));
  return text;
}

std::shared_ptr<Snapshot> fresh_snapshot(Instant now) {
  auto made = std::make_shared<Snapshot>();
  made->at = now;
  made->plan = plan();
  made->started = now - 1h;
  made->transactions.resize(2);
  made->transactions[0].stages = {stage_stats(2), stage_stats(30), stage_stats(60)};
  made->transactions[1].stages = {stage_stats(2)};
  made->watches.resize(3);
  made->slos.resize(2);
  for (SloStatus& slo : made->slos) {
    slo.period.window = 24h * 30;
    slo.windows = {window(5min, 0, 0, std::nullopt), window(1h, 0, 0, std::nullopt)};
    slo.since = made->started;
  }
  made->start_lateness = histogram({0.001, 0.1});
  made->loop_lag = histogram({0.001, 0.1});
  return made;
}

std::shared_ptr<Snapshot> snapshot(Instant now) {
  auto made = fresh_snapshot(now);
  made->ready = true;
  TransactionStats& alert = made->transactions[0];
  alert.verdicts = {699, 17, 0, 1, 2, 0};
  alert.in_flight = 2;
  alert.next_due = now + 2s;
  alert.last_verdict = RunVerdict::bad;
  alert.last_good = now - 8s;
  alert.last_bad = now - 3s;
  fill_stages(alert);
  TransactionStats& console = made->transactions[1];
  console.verdicts = {240, 0, 0, 0, 0, 0};
  console.next_due = now + 9s;
  console.last_verdict = RunVerdict::good;
  console.last_good = now - 6s;
  console.stages[0].verdicts = {240, 0, 0, 0, 0, 0, 0};
  console.stages[0].latency = filled({0.5, 2, 8}, {240, 0, 0, 0}, 0.96);
  made->witnesses = {true, false, std::nullopt};
  made->watches[0] = {WatchState::in_sight, {}, now - 400ms};
  made->watches[1] = {WatchState::in_sight, {}, now - 100ms};
  made->watches[2] = {WatchState::out_of_sight,
                      {ErrorCode::connect_refused, "127.0.0.1:9192 refused the connection; is the broker running?"},
                      now - 95s};
  fill_slos(*made, now);
  made->runs = {flying_run(719, now - 500ms),     flying_run(718, now - 3s),        failed_run(717, now - 5500ms),
                good_run(716, now - 10s - 500ms), good_run(715, now - 15s - 500ms), lost_run(703, now - 75s - 500ms)};
  made->start_lateness = filled({0.001, 0.1}, {718, 1, 0}, 0.4);
  made->loop_lag = filled({0.001, 0.1}, {3550, 12, 1}, 2.5);
  return made;
}

}  // namespace slosonde::exporter::sample
