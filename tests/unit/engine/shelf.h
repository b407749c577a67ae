// A store as plain as can be: what was committed, in maps, and a core that is killed and begun again from it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "probe/store/batch.h"
#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {

class Shelf {
 public:
  void commit(store::Batch batch) {
    if (batch.whole) {
      alerts_.clear();
      runs_.clear();
      schedules_.clear();
      watches_.clear();
    }
    if (batch.epoch) epoch_ = batch.epoch;
    if (batch.exclusions) exclusions_ = batch.exclusions;
    if (batch.suspensions) suspensions_ = batch.suspensions;
    for (auto& one : batch.slis) slis_[one.definition] = one;
    for (auto& one : batch.forgotten) {
      counts_.erase(counts_.lower_bound({one.definition, one.slot, INT64_MIN}),
                    counts_.lower_bound({one.definition, one.slot, one.before_block}));
    }
    for (auto& one : batch.counts) counts_[{one.definition, one.slot, one.block}] = one;
    for (auto& one : batch.alerts) alerts_[{one.definition, one.slo, one.tier}] = one;
    for (auto& one : batch.runs) {
      if (one.record.empty()) {
        runs_.erase(one.key);
      } else {
        runs_[one.key] = one;
      }
    }
    for (auto& one : batch.schedules) schedules_[one.stream] = one;
    for (auto& one : batch.watches) watches_[one.definition] = one;
  }

  store::Batch all() const {
    store::Batch made;
    made.epoch = epoch_;
    made.exclusions = exclusions_;
    made.suspensions = suspensions_;
    const auto put = [](auto& list, const auto& map) {
      for (const auto& [key, one] : map) list.push_back(one);
    };
    put(made.slis, slis_);
    put(made.counts, counts_);
    put(made.alerts, alerts_);
    put(made.runs, runs_);
    put(made.schedules, schedules_);
    put(made.watches, watches_);
    return made;
  }
  size_t runs() const { return runs_.size(); }
  void damage_counts() {
    for (auto& [key, one] : counts_) one.bytes.resize(1);
  }

 private:
  std::optional<uint64_t> epoch_;
  std::optional<std::vector<store::KeptExclusion>> exclusions_;
  std::optional<std::vector<store::KeptSuspension>> suspensions_;
  std::map<std::string, store::KeptSli> slis_;
  std::map<std::tuple<std::string, Duration, int64_t>, store::KeptCounts> counts_;
  std::map<std::tuple<std::string, std::string, std::string>, store::KeptAlert> alerts_;
  std::map<store::RunKey, store::KeptRun> runs_;
  std::map<uint64_t, store::KeptSchedule> schedules_;
  std::map<std::string, store::KeptWatch> watches_;
};

// One probe over several processes.
class Lives {
 public:
  explicit Lives(Plan plan) : plan_(std::move(plan)) { begin(kStart); }

  Rig& operator*() { return *rig_; }
  Rig* operator->() { return rig_.get(); }

  void commit() { shelf_.commit(rig_->core.take_changes(std::exchange(first_, false))); }
  void commit_whole() { shelf_.commit(rig_->core.take_changes(true)); }  // as after a reload
  // Killed: what was not committed is gone. Begun again after a while, perhaps with another configuration.
  void restart(Duration after) { begin(rig_->now + after); }
  void restart(Duration after, Plan plan) {
    plan_ = std::move(plan);
    restart(after);
  }
  // The same, and the wall clock was set meanwhile: the service knows from the clocks that are kept.
  void restart_with_another_clock(Duration after) { begin(rig_->now + after, true); }
  void damage_counts() { shelf_.damage_counts(); }
  const Shelf& shelf() const { return shelf_; }

 private:
  void begin(Instant start, bool clock_stepped = false) {
    kept_ = shelf_.all();
    rig_ = std::make_unique<Rig>(
        plan_, CoreOptions{.start = start, .epoch = ++epoch_, .kept = &kept_, .clock_stepped = clock_stepped});
    first_ = true;
  }

  Plan plan_;
  Shelf shelf_;
  store::Batch kept_;
  std::unique_ptr<Rig> rig_;
  uint64_t epoch_ = kEpoch;
  bool first_ = true;
};

}  // namespace slosonde::engine
