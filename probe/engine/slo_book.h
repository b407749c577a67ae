// One SLO at work: its history, its tiers, their alerts.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "probe/engine/plan.h"
#include "probe/engine/snapshot.h"
#include "probe/slo/alerts.h"
#include "probe/slo/history.h"
#include "probe/slo/policy.h"
#include "probe/store/batch.h"

namespace slosonde::engine {

// What an SLO's book has to do with its SLI, of which there may be several SLOs.
struct SliPart {
  std::string definition;      // under which a store keeps its counts
  bool keeps_counts = false;   // for all of them
  std::vector<Duration> also;  // windows that the others need of the counts
};

// Engine thread. Keeps references to the plan, which must outlive it.
class SloBook {
 public:
  SloBook(const SloPlan& plan, Duration every, Instant start, SliPart part);

  // The windows that the SLO itself needs.
  static std::vector<Duration> windows_for(const SloPlan& plan, Duration every);

  void count(Instant t, slo::Event event);

  // Slots `first`, first + every, … (`n` of them), all with the same event. However many they are, the work is bounded
  // by the slots of the history's period.
  void count_slots(Instant first, Duration every, uint64_t n, slo::Event event);

  // Moves the windows to `now` and steps the alerts; `on_change` is told of each that fires or resolves.
  using OnChange = std::function<void(bool fired, std::string text)>;
  void step(Instant now, const OnChange& on_change);

  // What a store keeps, under the SLI's definition; with `whole` everything, else what has changed since the last time
  // (and since keep_changes()).
  void keep_changes();
  void take_changes(bool whole, store::Batch& batch);
  const std::string& definition() const { return sli_.definition; }

  // Goes on from what was kept, up to `at`. False: the counts cannot be read, and the history is as new.
  bool restore(const store::KeptSli& kept, std::span<const slo::StoredBlock> fine,
               std::span<const slo::StoredBlock> coarse, Instant at);
  void restore(const store::KeptAlert& alert);

  // The exported counters go on from those of another one.
  void count_on(const SloBook& before) { total_ = before.total_; }

  // Whether anything was counted since the alerts were last stepped.
  bool changed() const { return changed_; }

  SloStatus status() const;
  const SloPlan& plan() const { return plan_; }
  const slo::Terms& terms() const { return terms_; }

 private:
  WindowStatus window_status(Duration window) const;
  slo::Refill refill(Duration window) const;
  void step_coverage(const OnChange& on_change);
  std::string alert_name(size_t alert) const;
  void take_counts(bool whole, store::Batch& batch);

  const SloPlan& plan_;
  slo::Terms terms_;
  slo::Policy policy_;
  SliPart sli_;
  std::vector<Duration> windows_;
  slo::History history_;
  std::vector<slo::AlertState> alerts_;  // of the tiers, and that on coverage
  slo::Counts total_;
  bool changed_ = false;

  std::vector<slo::AlertState> kept_alerts_;  // as last taken
  std::map<Duration, int64_t> forgotten_;     // by slot: the first block that was still wanted, as last taken
};

}  // namespace slosonde::engine
