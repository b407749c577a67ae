// The state file as a model: what was committed, in maps. A batch becomes part of it only when its commit has come
// through; a crash before that loses it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "probe/store/batch.h"

namespace slosonde::store {

class Journal {
 public:
  void commit(const Batch& batch) {
    if (batch.whole) {
      alerts_.clear();
      runs_.clear();
      schedules_.clear();
      watches_.clear();
    }
    if (batch.epoch) epoch_ = batch.epoch;
    if (batch.exclusions) exclusions_ = batch.exclusions;
    if (batch.suspensions) suspensions_ = batch.suspensions;
    for (const auto& one : batch.slis) slis_[one.definition] = one;
    for (const auto& one : batch.forgotten) {
      counts_.erase(counts_.lower_bound({one.definition, one.slot, INT64_MIN}),
                    counts_.lower_bound({one.definition, one.slot, one.before_block}));
    }
    for (const auto& one : batch.counts) counts_[{one.definition, one.slot, one.block}] = one;
    for (const auto& one : batch.alerts) alerts_[{one.definition, one.slo, one.tier}] = one;
    for (const auto& one : batch.runs) {
      if (one.record.empty()) {
        runs_.erase(one.key);
      } else {
        runs_[one.key] = one;
      }
    }
    for (const auto& one : batch.schedules) schedules_[one.stream] = one;
    for (const auto& one : batch.watches) watches_[one.definition] = one;
  }

  // What a process finds that begins now.
  Batch all() const {
    Batch made;
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
  std::optional<std::vector<KeptExclusion>> exclusions_;
  std::optional<std::vector<KeptSuspension>> suspensions_;
  std::map<std::string, KeptSli> slis_;
  std::map<std::tuple<std::string, Duration, int64_t>, KeptCounts> counts_;
  std::map<std::tuple<std::string, std::string, std::string>, KeptAlert> alerts_;
  std::map<RunKey, KeptRun> runs_;
  std::map<uint64_t, KeptSchedule> schedules_;
  std::map<std::string, KeptWatch> watches_;
};

}  // namespace slosonde::store
