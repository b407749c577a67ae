// What becomes of a run: decides, at an instant, all that can be decided of it by then.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "probe/base/error.h"
#include "probe/base/time.h"
#include "probe/engine/facts.h"
#include "probe/engine/plan.h"
#include "probe/engine/run_state.h"
#include "probe/engine/sight.h"
#include "probe/engine/starvation.h"
#include "probe/engine/witness_log.h"

namespace slosonde::engine {

// A result of a check that was made in time may be handed over this much after the limit.
constexpr Duration kJudgeGrace = std::chrono::milliseconds(20);
// Judged this much too late (or max_lateness, if longer), we were starved, and a check's silence says nothing.
constexpr Duration kLeastStarved = std::chrono::milliseconds(100);

inline Duration starved_after(const Plan& plan) {
  return std::max(plan.max_lateness, kLeastStarved);
}
inline Error starved_error() {
  return {ErrorCode::internal, "the probe itself was held up and could not act in time"};
}

// What became of a run whose stages are all decided, whether an exclusion covers it or not.
RunVerdict verdict_of(const Run& run);

// Reads the plan and what can be seen, changes the run it is given, and says what followed as facts: it keeps nothing
// of its own from one run to the next. judge.cc: stages; judge_action.cc: their checks; judge_latency.cc: latency SLIs;
// judge_network.cc: failures that may be our own network's; judge_run.cc: the whole run. Engine thread.
class Judge {
 public:
  // All outlive it.
  Judge(const Plan& plan, const Sight& sight, const Starvation& starvation, const WitnessLog& witnesses);

  // Decides what is to be decided at `t`; it is `now`, not before `t`. Adds to `facts`, of which RunOver is the last.
  // Gives the next instant at which the run has something to come (kNever: nothing, or it is over).
  Instant step(Run& run, Instant t, Instant now, Facts& facts);

  // The latency SLOs of a transaction, in the order of Run::latency.
  const std::vector<size_t>& latency_slos(uint32_t transaction) const { return latency_slos_[transaction]; }

 private:
  const TransactionPlan& plan_of(const Run& run) const { return plan_.transactions[run.id.transaction]; }
  const StagePlan& plan_of(const Run& run, size_t stage) const { return plan_of(run).stages[stage]; }
  bool starved(Instant t) const { return now_ - t > starved_after_; }
  template <class AFact>
  void say(AFact fact) {
    facts_->emplace_back(std::move(fact));
  }

  // judge.cc
  void step_stage(Run& run, size_t i, Instant t);
  void take_report(Run& run, size_t i, Instant t);
  static void note_sighting(Run& run, size_t i);
  void on_seen(Run& run, size_t i, Instant t);
  void judge_sighting(Run& run, size_t i, Instant at);
  void on_unexpected(Run& run, size_t i, Instant at);
  void take_second(Run& run, size_t i, Instant at);
  void judge_watched(Run& run, size_t i, Instant t);
  void stop_waiting(Run& run, size_t i);
  void decide(Run& run, size_t i, StageVerdict verdict, Instant at);
  void decide_bad_for_now(Run& run, size_t i, Instant at);
  void decide_failed(Run& run, size_t i, Error error, Instant at);
  void decide_fault(Run& run, size_t i, Error error, Instant at);
  void follow_from(Run& run, size_t i);
  void skip(Run& run, size_t i, Instant at);
  void blind(Run& run, size_t i, bool fault, Instant at);
  void tell_sighting(const Run& run, size_t i, Sighting kind);
  void tell_order(Run& run, size_t i);
  void tell_hop(Run& run, size_t i);
  Instant next_wake(const Run& run, Instant t) const;

  // judge_action.cc
  void act(Run& run, size_t i, Instant t);
  bool may_start(Run& run, size_t i);
  Instant passed_at(const Run& run, size_t i) const;
  bool eaten_up(const Run& run, size_t i) const;
  void start_attempt(Run& run, size_t i);
  void end_attempt(Run& run, size_t i);
  void judge_action(Run& run, size_t i, Instant t);
  void judge_never_started(Run& run, size_t i);

  // judge_network.cc
  void judge_failure(Run& run, size_t i, Error error, Instant failed, Instant at, Instant t);
  void ask_witnesses(Run& run, size_t i, Instant until);
  WitnessLog::Side side_of_place(size_t watch, Instant t) const;
  WitnessLog::Side side_of_silence(const Stage& stage, Instant by, Instant t) const;
  bool late_by_our_network(const Run& run, Instant limit, Instant at) const;
  bool act_may_fail_by_us(const Run& run, size_t i, Instant by, Instant t) const;

  // judge_latency.cc
  enum class LatencyState : uint8_t { open, asks_witnesses, awaits_sight, none, good, bad, blind, probe_fault };
  void step_latency(Run& run, Instant t);
  LatencyState latency_state(const Run& run, size_t stage, Instant fast_until, Instant t, bool waits) const;

  // judge_run.cc
  bool step_run(Run& run, Instant t);
  void free_place(Run& run);
  void decide_run(Run& run);
  void step_finally(Run& run, Instant t);
  void close(Run& run);

  const Plan& plan_;
  const Sight& sight_;
  const Starvation& starvation_;
  const WitnessLog& witnesses_;
  Duration starved_after_;
  std::vector<std::vector<size_t>> latency_slos_;  // by transaction
  // During a step.
  Instant now_{};
  Facts* facts_ = nullptr;
};

}  // namespace slosonde::engine
