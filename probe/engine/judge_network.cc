// Failures that may be our own network's: the witnesses say whose they are.
#include <algorithm>
#include <utility>

#include "probe/engine/judge.h"

namespace slosonde::engine {

// A failure that was there at `failed` and counts from `at`; what had to wait for the witnesses counts once they have
// said.
void Judge::judge_failure(Run& run, size_t i, Error error, Instant failed, Instant at, Instant t) {
  const Stage& stage = run.stages[i];
  const bool may_be_ours = may_be_network(error.code) && failed != kNever;
  const auto side = may_be_ours ? witnesses_.side(stage.attempt_start, failed, t) : WitnessLog::Side::theirs;
  if (side == WitnessLog::Side::unknown) return ask_witnesses(run, i, failed + kWitnessPatience);
  if (stage.asks_until != kNever) at = t;
  if (side == WitnessLog::Side::theirs) return decide_failed(run, i, std::move(error), at);
  error.code = ErrorCode::io_failed;
  error.text += "; no witness answered either: our own network was down";
  decide_fault(run, i, std::move(error), at);
}

void Judge::ask_witnesses(Run& run, size_t i, Instant until) {
  run.stages[i].asks_until = until;
  say(AsksWitnesses{});
}

// Of a place that has failed.
WitnessLog::Side Judge::side_of_place(size_t watch, Instant t) const {
  if (!may_be_network(sight_.status(watch).error.code)) return WitnessLog::Side::theirs;
  const Instant failed = sight_.failed_since(watch);
  const Instant seen = sight_.seen_at(watch);
  return witnesses_.side_of_place(seen == Instant::min() ? failed : seen, failed, t);
}

// Of a check that has not shown anything by then.
WitnessLog::Side Judge::side_of_silence(const Stage& stage, Instant by, Instant t) const {
  if (stage.attempt_running) return witnesses_.side(std::min(stage.attempt_start, by), by, t);
  const bool may_be_ours = stage.failed_at != kNever && may_be_network(stage.record.error.code);
  return may_be_ours ? witnesses_.side(stage.attempt_start, stage.failed_at, t) : WitnessLog::Side::theirs;
}

// Whether what came over its limit might have come in time, had our network not been down.
bool Judge::late_by_our_network(const Run& run, Instant limit, Instant at) const {
  return !witnesses_.none() && witnesses_.silence(run.due, at) >= at - limit;
}

// Whether an act before, of which all that follows depends, may yet turn out to have failed by our own fault.
bool Judge::act_may_fail_by_us(const Run& run, size_t i, Instant by, Instant t) const {
  if (witnesses_.none()) return false;
  for (size_t before = 0; before < i; ++before) {
    const Stage& stage = run.stages[before];
    if (plan_of(run, before).mode != StageMode::done || stage.decided()) continue;
    if (stage.asks_until != kNever) return true;
    if (stage.attempt_running && side_of_silence(stage, by, t) != WitnessLog::Side::theirs) return true;
  }
  return false;
}

}  // namespace slosonde::engine
