// What of the core's parts a store keeps, and how they go on from it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "probe/engine/core.h"
#include "probe/engine/run_book.h"
#include "probe/engine/run_markers.h"
#include "probe/engine/schedule.h"
#include "probe/engine/sight.h"
#include "probe/engine/sli_book.h"
#include "probe/store/batch.h"

namespace slosonde::engine {

// A run of an earlier process that cannot go on: what nobody can say of it any more, by our own fault.
struct DroppedRun {
  uint32_t transaction = 0;
  Instant due = kNever;                // kNever: not known
  bool decided = false;                // its verdict was counted before
  std::vector<size_t> open_stages;     // those whose verdicts were not
  std::vector<size_t> open_latencies;  // as in Run::latency
};

// Engine thread; between two turns, when they agree with each other.
class Keep {
 public:
  // All outlive it. `epoch` is this process's.
  Keep(const Plan& plan, Schedule& schedule, RunMarkers& markers, RunBook& runs, Sight& sight, SliBook& slis,
       uint64_t epoch);

  // Goes on from what an earlier process left, before anything is reported or due. What is then still to be done is
  // the core's: to count what was missed, to wake the runs, to tell the notices.
  struct Restored {
    std::vector<std::pair<uint32_t, MissedSlots>> missed;  // by transaction
    std::vector<Run*> runs;
    std::vector<DroppedRun> dropped;
    std::vector<Notice> notices;
  };
  // `clock_stepped`: its instants are not ours, so that what was in flight, and what was seen, says nothing any more.
  Restored restore(const store::Batch& kept, Instant now, bool clock_stepped);

  // Everything, or what has changed since the last call.
  store::Batch take_changes(bool whole);

 private:
  void restore_counts(const store::Batch& kept, Instant now, Restored& restored);
  void restore_runs(const store::Batch& kept, Instant now, bool clock_stepped, Restored& restored);
  void restore_sight(const store::Batch& kept);
  DroppedRun dropped(uint32_t transaction, std::string_view record) const;
  void take_runs(bool whole, store::Batch& batch);
  void take_schedules(bool whole, store::Batch& batch);
  void take_coverage(store::Batch& batch);
  store::RunKey key_of(const RunId& run) const;

  const Plan& plan_;
  Schedule& schedule_;
  RunMarkers& markers_;
  RunBook& runs_;
  Sight& sight_;
  SliBook& slis_;
  uint64_t epoch_;
  std::vector<std::vector<std::string>> latencies_;  // by transaction: the SLIs in Run::latency, in its order
  std::vector<Instant> told_slots_;                  // by transaction, as last taken
};

}  // namespace slosonde::engine
