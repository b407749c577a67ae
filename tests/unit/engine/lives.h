// A core that is killed, and begun again from what was committed.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tests/unit/engine/core_rig.h"
#include "tests/unit/store/journal.h"

namespace slosonde::engine {

// One probe over several processes.
class Lives {
 public:
  explicit Lives(Plan plan) : plan_(std::move(plan)) { begin(kStart); }

  Rig& operator*() { return *rig_; }
  Rig* operator->() { return rig_.get(); }

  void commit() { journal_.commit(rig_->core.take_changes(std::exchange(first_, false))); }
  void commit_whole() { journal_.commit(rig_->core.take_changes(true)); }  // as after a reload
  // Killed: what was not committed is gone. Begun again after a while, perhaps with another configuration.
  void restart(Duration after) { begin(rig_->now + after); }
  void restart(Duration after, Plan plan) {
    plan_ = std::move(plan);
    restart(after);
  }
  // The same, and the wall clock was set meanwhile: the service knows from the clocks that are kept.
  void restart_with_another_clock(Duration after) { begin(rig_->now + after, true); }
  void damage_counts() { journal_.damage_counts(); }
  const store::Journal& journal() const { return journal_; }

 private:
  void begin(Instant start, bool clock_stepped = false) {
    kept_ = journal_.all();
    rig_ = std::make_unique<Rig>(
        plan_, CoreOptions{.start = start, .epoch = ++epoch_, .kept = &kept_, .clock_stepped = clock_stepped});
    first_ = true;
  }

  Plan plan_;
  store::Journal journal_;
  store::Batch kept_;
  std::unique_ptr<Rig> rig_;
  uint64_t epoch_ = kEpoch;
  bool first_ = true;
};

}  // namespace slosonde::engine
