// What the core costs: a sighting, garbage, a run at 10,000 runs a second. Google Benchmark; `bench/run core`.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "probe/engine/core.h"
#include "probe/ledger/marker.h"

namespace slosonde::engine {
namespace {

using namespace std::chrono_literals;

const Instant kStart = instant_from_unix_ns(1'767'603'600'000'000'000);

std::shared_ptr<const Plan> plan_at(Duration every) {
  Plan plan;
  plan.probe = "bench";
  plan.key = Secret("the key of the benchmarks");
  plan.settle = 10min;
  plan.max_lateness = 1s;
  plan.watches = {{"topic", "kafka"}, {"hook", "webhook"}};
  TransactionPlan journey;
  journey.name = "log-to-alert";
  journey.every = every;
  journey.max_in_flight = 1'000'000;
  journey.linger = 1s;
  journey.stages.resize(3);
  for (size_t i = 0; i < 3; ++i) {
    journey.stages[i].name = std::string(1, static_cast<char>('a' + i));
    journey.stages[i].within = 1s;
    journey.stages[i].mode = i == 0 ? StageMode::done : StageMode::watched;
    journey.stages[i].watch = i == 2 ? 1 : 0;
  }
  plan.transactions = {journey};
  SloPlan slo;
  slo.name = "delivered";
  slo.objective_ppb = 999'000'000;
  slo.window = 24h * 30;
  slo.stage = 2;
  plan.slos = {slo};
  slo.name = "fast";
  slo.stage = 1;
  slo.faster_than = 500ms;
  plan.slos.push_back(slo);
  return std::make_shared<const Plan>(std::move(plan));
}

// A text of about `bytes` as a log pipeline has it.
std::string prose(size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    text +=
        R"({"ts":"2026-01-05T09:00:00.125Z","level":"error","service":"session","msg":"login failed for user 4711"},)";
  }
  text.resize(bytes);
  return text;
}

void scan_garbage(benchmark::State& state) {
  const ledger::MarkerCodec codec(Secret("the key of the benchmarks"));
  const std::string text = prose(static_cast<size_t>(state.range(0)));
  ledger::Findings found;
  for (auto _ : state) {
    codec.scan(text, found);
    benchmark::DoNotOptimize(found.markers.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(scan_garbage)->Arg(1024)->Arg(1024 * 1024);

void make_marker(benchmark::State& state) {
  const ledger::MarkerCodec codec(Secret("the key of the benchmarks"));
  uint64_t seq = 0;
  for (auto _ : state) benchmark::DoNotOptimize(codec.marker({1, 2, ++seq}));
}
BENCHMARK(make_marker);

// A sighting in a text of 300 bytes: found, verified, matched among 10,000 open runs.
void sighting(benchmark::State& state) {
  Core core(plan_at(100us), {.start = kStart, .epoch = 1});
  Outputs outputs;
  std::vector<std::string> texts;
  core.feed(kStart, Covered{0, kStart, kStart});
  core.feed(kStart, Covered{1, kStart, kStart});
  while (texts.size() < 9'000) {
    core.advance(core.next_due(), outputs);
    for (Output& output : outputs) {
      if (const auto* check = std::get_if<StartCheck>(&output)) texts.push_back(prose(250) + check->marker);
    }
    outputs.clear();
  }
  const Instant now = core.next_due() - 1ns;
  uint64_t i = 0;
  for (auto _ : state) {
    core.feed(now, EvidenceSeen{0, {texts[i % texts.size()], i, now, now, {}}});
    ++i;
  }
}
BENCHMARK(sighting);

// Whole runs at 10,000 a second: slot, check, two sightings, verdict, SLOs, closing. One iteration is one run.
void run_at_10000_a_second(benchmark::State& state) {
  Core core(plan_at(100us), {.start = kStart, .epoch = 1, .kept_runs = 200});
  Outputs outputs;
  Instant now = kStart;
  core.feed(now, Covered{0, now, now});
  core.feed(now, Covered{1, now, now});
  uint64_t item = 0;
  Instant covered = now;
  const auto one_turn = [&] {
    now = std::max(now, core.next_due());
    if (now - covered > 10ms) {
      core.feed(now, Covered{0, covered, now});
      core.feed(now, Covered{1, covered, now});
      covered = now;
    }
    core.advance(now, outputs);
    uint64_t started = 0;
    for (Output& output : outputs) {
      auto* check = std::get_if<StartCheck>(&output);
      if (check == nullptr) continue;
      ++started;
      checks::CheckResult held;
      held.outcome = checks::Outcome::held;
      held.sent = held.received = now;
      core.feed(now, CheckDone{check->run, false, 0, 0, std::move(held)});
      core.feed(now, EvidenceSeen{0, {check->marker, ++item, now, now, {}}});
      core.feed(now, EvidenceSeen{1, {check->marker, ++item, now, now, {}}});
    }
    outputs.clear();
    return started;
  };
  for (uint64_t warm = 0; warm < 25'000;) warm += one_turn();
  for (auto _ : state) {
    while (one_turn() == 0) {
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(run_at_10000_a_second);

// One step of the schedule: nothing is answered, so that a run is a slot, a start, and its end by the clock.
void slot_at_10000_a_second(benchmark::State& state) {
  auto plan = std::make_shared<Plan>(*plan_at(100us));
  plan->transactions[0].stages.resize(1);
  plan->transactions[0].stages[0].within = 10ms;
  plan->slos.clear();
  Core core(plan, {.start = kStart, .epoch = 1});
  Outputs outputs;
  for (auto _ : state) {
    core.advance(core.next_due(), outputs);
    outputs.clear();
  }
}
BENCHMARK(slot_at_10000_a_second);

void snapshot_of_the_demo(benchmark::State& state) {
  Core core(plan_at(5s), {.start = kStart, .epoch = 1});
  Outputs outputs;
  core.feed(kStart, Covered{0, kStart, kStart});
  core.feed(kStart, Covered{1, kStart, kStart});
  while (core.next_due() < kStart + 1h) core.advance(core.next_due(), outputs);
  for (auto _ : state) benchmark::DoNotOptimize(core.snapshot(kStart + 1h));
}
BENCHMARK(snapshot_of_the_demo);

}  // namespace
}  // namespace slosonde::engine

BENCHMARK_MAIN();
