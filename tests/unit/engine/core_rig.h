// A core on a virtual clock, driven as the service drives it: it is turned whenever something is due, and what has
// arrived is taken in before.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "probe/engine/core.h"
#include "probe/ledger/marker.h"

namespace slosonde::engine {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): tests read better with 5s than without

inline const Instant kStart = instant_from_unix_ns(1'767'603'600'000'000'000);  // 2026-01-05 09:00 UTC
constexpr uint64_t kEpoch = 42;

inline StagePlan act(std::string name, Duration within) {
  StagePlan stage;
  stage.name = std::move(name);
  stage.within = within;
  return stage;
}
inline StagePlan watched(std::string name, Duration within, size_t watch) {
  StagePlan stage = act(std::move(name), within);
  stage.mode = StageMode::watched;
  stage.watch = watch;
  return stage;
}
inline StagePlan polled(std::string name, Duration within, Duration every, Duration timeout) {
  StagePlan stage = act(std::move(name), within);
  stage.mode = StageMode::polled;
  stage.poll_every = every;
  stage.poll_timeout = timeout;
  return stage;
}

// The demo's journey: a log goes in, an incident and an alert come out.
inline TransactionPlan log_to_alert() {
  TransactionPlan t;
  t.name = "log-to-alert";
  t.every = 5s;
  t.max_in_flight = 13;
  t.linger = 60s;
  t.stages = {act("ingest", 2s), watched("incident", 30s, 0), watched("alert", 60s, 1)};
  return t;
}

inline TransactionPlan console() {
  TransactionPlan t;
  t.name = "console";
  t.every = 15s;
  t.max_in_flight = 2;
  t.stages = {act("up", 2s)};
  return t;
}

// One stage that polls for what the stage before has put in.
inline TransactionPlan write_and_read() {
  TransactionPlan t;
  t.name = "write-and-read";
  t.every = 60s;
  t.max_in_flight = 2;
  t.stages = {act("write", 2s), polled("read", 10s, 1s, 500ms)};
  return t;
}

inline Plan plan_of(std::vector<TransactionPlan> transactions) {
  Plan plan;
  plan.probe = "probe-a";
  plan.key = Secret("the key of the tests");
  plan.settle = 10min;
  plan.max_lateness = 1s;
  plan.transactions = std::move(transactions);
  plan.watches = {{"kafka incidents", "kafka"}, {"webhook /hooks/alert", "webhook"}};
  return plan;
}

inline SloPlan slo_of(std::string name, size_t transaction, std::optional<size_t> stage = std::nullopt,
                      std::optional<Duration> faster_than = std::nullopt) {
  SloPlan slo;
  slo.name = std::move(name);
  slo.objective_ppb = 999'000'000;
  slo.window = 24h * 30;
  slo.transaction = transaction;
  slo.stage = stage;
  slo.faster_than = faster_than;
  return slo;
}

class Rig {
 public:
  explicit Rig(Plan made, CoreOptions options = {.start = kStart, .epoch = kEpoch})
      : plan(std::make_shared<const Plan>(std::move(made))),
        codec(plan->key),
        core(plan, options),
        now(options.start),
        epoch(options.epoch),
        covered_to(plan->watches.size(), options.start),
        in_sight(plan->watches.size(), true) {
    turn(now);
  }

  // Everything up to `t`.
  void to(Instant t) {
    while (core.next_due() <= t) turn(std::max(core.next_due(), now));
    turn(std::max(t, now));
  }
  void pass(Duration d) { to(now + d); }
  // Held up until `t`: nothing is done in between.
  void stall_to(Instant t) { turn(t); }

  void feed(Input input) {
    core.feed(now, std::move(input));
    turn(now);
  }

  // Another plan, now, as the service does it: new watches begin to look, the others go on.
  Succession reload(Plan next, bool new_ones_see = true) {
    turn(now);
    auto fresh = std::make_shared<const Plan>(std::move(next));
    Outputs outputs;
    Succession kept = core.go_on_with(now, fresh, ++epoch, outputs);
    for (Output& output : outputs) std::visit([this](auto& one) { take(one); }, output);
    std::vector<Instant> covered(fresh->watches.size(), now);
    std::vector<bool> sees(fresh->watches.size(), new_ones_see);
    for (size_t w = 0; w < kept.watches.size(); ++w) {
      if (!kept.watches[w]) continue;
      covered[*kept.watches[w]] = covered_to[w];
      sees[*kept.watches[w]] = in_sight[w];
    }
    covered_to = std::move(covered);
    in_sight = std::move(sees);
    plan = std::move(fresh);
    turn(now);
    return kept;
  }

  // Up to `t`, which begins with what is fed next: arrivals are taken in before anything is judged.
  void just_to(Instant t) {
    if (t <= now) return;
    to(t - 1ns);
    now = t;
  }

  // What has come out so far.
  void forget() {
    checks.clear();
    cancels.clear();
    closed.clear();
    started.clear();
    looked_at = 0;
  }

  // Starts no more, so that the runs there are can be looked at alone.
  void no_more() { feed(Drain{}); }

  // Runs on until a check of the stage is started (after those already looked at), and gives it.
  StartCheck next_check(uint32_t transaction, uint32_t stage, bool finally = false) {
    for (int i = 0; i < 10'000; ++i) {
      for (; looked_at < checks.size();) {
        const StartCheck& check = checks[looked_at++];
        if (check.run.transaction == transaction && check.stage == stage && check.finally == finally) return check;
      }
      if (core.next_due() == kNever) break;
      turn(std::max(core.next_due(), now));
    }
    ADD_FAILURE() << "no check of stage " << stage << " was started";
    return {};
  }

  static checks::CheckResult result(checks::Outcome outcome, Instant sent, Instant received) {
    checks::CheckResult made;
    made.outcome = outcome;
    made.sent = sent;
    made.received = received;
    return made;
  }
  // The result arrives at `at`.
  void answer(const StartCheck& check, checks::Outcome outcome, Instant at, Error error = {}, std::string text = {}) {
    just_to(at);
    auto made = result(outcome, check_time(check), at);
    made.error = std::move(error);
    made.evidence = std::move(text);
    feed(CheckDone{check.run, check.finally, check.stage, check.attempt, std::move(made)});
  }
  void hold(const StartCheck& check, Instant at) { answer(check, checks::Outcome::held, at); }

  // Text that arrives at `at`, and is known to have arrived then.
  void arrive(size_t watch, const std::string& text, uint64_t item, Instant at,
              checks::EvidencePhase phase = checks::EvidencePhase::none) {
    just_to(at);
    sight(watch, text, item, at, at, phase);
  }
  void sight(size_t watch, const std::string& text, uint64_t item, Instant lo, Instant hi,
             checks::EvidencePhase phase = checks::EvidencePhase::none) {
    feed(EvidenceSeen{watch, {text, item, lo, hi, phase}});
  }
  void blind(size_t watch, Error error) {
    in_sight[watch] = false;
    feed(OutOfSight{watch, std::move(error)});
  }

  std::shared_ptr<const RunRecord> run(const StartCheck& check) { return run(check.marker); }
  std::shared_ptr<const RunRecord> run(const std::string& marker) {  // in flight or kept; nullptr: unknown
    const auto shown = view();
    const auto found = std::ranges::find_if(shown->runs, [&](const RunPtr& one) { return one->marker == marker; });
    return found == shown->runs.end() ? nullptr : *found;
  }
  std::shared_ptr<Snapshot> view() { return core.snapshot(now); }
  uint64_t runs(RunVerdict verdict, size_t transaction = 0) {
    return view()->transactions[transaction].verdicts[static_cast<size_t>(verdict)];
  }
  uint64_t stages(size_t stage, StageVerdict verdict, size_t transaction = 0) {
    return view()->transactions[transaction].stages[stage].verdicts[static_cast<size_t>(verdict)];
  }
  uint64_t sightings(size_t stage, Sighting kind, size_t transaction = 0) {
    return view()->transactions[transaction].stages[stage].sightings[static_cast<size_t>(kind)];
  }
  size_t notices(Notice::Kind kind) const {
    return static_cast<size_t>(
        std::count_if(told.begin(), told.end(), [&](const Notice& n) { return n.kind == kind; }));
  }

  std::shared_ptr<const Plan> plan;
  ledger::MarkerCodec codec;
  Core core;
  Instant now;
  uint64_t epoch;
  std::vector<Instant> covered_to;
  std::vector<bool> in_sight;  // covered all along
  std::vector<StartCheck> checks;
  std::vector<CancelCheck> cancels;
  std::vector<std::shared_ptr<const RunRecord>> closed;
  std::vector<RunStarted> started;
  std::vector<Notice> told;

 private:
  Instant check_time(const StartCheck& check) const { return std::min(check.due, now); }

  void turn(Instant t) {
    now = t;
    for (size_t i = 0; i < covered_to.size(); ++i) {
      if (!in_sight[i]) continue;
      core.feed(now, Covered{i, covered_to[i], now});
      covered_to[i] = now;
    }
    Outputs outputs;
    core.advance(now, outputs);
    for (Output& output : outputs) std::visit([this](auto& one) { take(one); }, output);
  }
  void take(StartCheck& one) { checks.push_back(std::move(one)); }
  void take(CancelCheck& one) { cancels.push_back(one); }
  void take(RunStarted& one) { started.push_back(one); }
  void take(RunClosed& one) { closed.push_back(std::move(one.run)); }
  void take(Notice& one) { told.push_back(std::move(one)); }

  size_t looked_at = 0;
};

}  // namespace slosonde::engine
