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

namespace slosonde::swarm {

class Journal {
 public:
  void commit(const store::Batch& batch) {
    if (batch.whole) {
      alerts_.clear();
      runs_.clear();
      schedules_.clear();
      watches_.clear();
    }
    if (batch.epoch) epoch_ = batch.epoch;
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
  store::Batch all() const {
    store::Batch made;
    made.epoch = epoch_;
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

 private:
  std::optional<uint64_t> epoch_;
  std::optional<std::vector<store::KeptSuspension>> suspensions_;
  std::map<std::string, store::KeptSli> slis_;
  std::map<std::tuple<std::string, Duration, int64_t>, store::KeptCounts> counts_;
  std::map<std::tuple<std::string, std::string, std::string>, store::KeptAlert> alerts_;
  std::map<store::RunKey, store::KeptRun> runs_;
  std::map<uint64_t, store::KeptSchedule> schedules_;
  std::map<std::string, store::KeptWatch> watches_;
};

}  // namespace slosonde::swarm
