// Notes on a run what was reported of it. Nothing is decided here: a note says what, and from which instant on it
// counts.
#pragma once

#include <cstddef>
#include <optional>

#include "checks/check.h"
#include "checks/watch.h"
#include "probe/engine/plan.h"
#include "probe/engine/run_markers.h"
#include "probe/engine/run_state.h"
#include "probe/engine/starvation.h"

namespace slosonde::engine {

// Results are of attempts that run, and stamps are clamped to what can be. Engine thread.
class Reports {
 public:
  // All outlive it.
  Reports(const Plan& plan, RunMarkers& markers, const Starvation& starvation);

  // Whether the run still waits for this result.
  static bool awaited(const Run& run, bool finally, size_t index, size_t attempt);

  // The result of the stage's attempt. Gives the instant at which the run has something to do; kNever: nothing new.
  Instant result(Run& run, size_t stage, Instant now, checks::CheckResult& result);
  // Of the step of `finally` that runs. The run has something to do at once.
  static void final_result(Run& run, size_t step, Instant now, checks::CheckResult& result);

  // Evidence (of the text last scanned) of a watched stage. `wake`: the run has something to do then; `kind`: it is not
  // the first one.
  struct Sighted {
    Instant wake = kNever;
    std::optional<Sighting> kind;
  };
  Sighted evidence(Run& run, size_t stage, const checks::Evidence& evidence, Instant now);

 private:
  const StagePlan& plan_of(const Run& run, size_t stage) const {
    return plan_.transactions[run.id.transaction].stages[stage];
  }
  Instant done(Run& run, size_t stage, Instant now, checks::CheckResult& result) const;
  Instant polled(Run& run, size_t stage, Instant now, checks::CheckResult& result);

  bool starved(const Run& run, size_t stage, Instant now, const checks::CheckResult& result) const;

  const Plan& plan_;
  RunMarkers& markers_;
  const Starvation& starvation_;
  Duration starved_after_;
};

}  // namespace slosonde::engine
