// What is counted of transactions and stages since the process began: verdicts, sightings, latencies, percentiles.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "checks/check.h"
#include "probe/engine/plan.h"
#include "probe/engine/run_state.h"
#include "probe/engine/snapshot.h"
#include "probe/slo/quantile.h"

namespace slosonde::engine {

// Triggered runs are not to be told here. Engine thread.
class Stats {
 public:
  // `plan` outlives it.
  explicit Stats(const Plan& plan);

  void attempt(const RunId& run, size_t stage, const checks::CheckResult& result);
  void sighted(uint32_t transaction, size_t stage, Sighting kind);
  void hopped(const Run& run, size_t stage);
  void stage_final(const Run& run, size_t stage);
  // What to tell people when with this run the transaction turns bad, is bad for a reason that it was not before, or is
  // good again.
  struct Turn {
    enum class Kind : uint8_t { bad, otherwise, good } kind;
    std::string text;
  };
  std::optional<Turn> run_decided(const Run& run);
  void missed(uint32_t transaction, uint64_t count, bool excluded);
  void dropped(uint32_t transaction, bool excluded);  // a run of an earlier process: a fault of our own
  void started(Duration lateness) { start_lateness_.observe(seconds(lateness)); }

  // Goes on from the figures of another plan. The exported counters of a transaction (and stages) of the same name
  // never go back; where it begins anew (`same` false), its percentiles do.
  void take_over(Stats& before);
  void take_over(uint32_t transaction, Stats& before, uint32_t was, bool same);

  // Computed anew at most every few seconds: sorting thousands of samples is not for every scrape.
  void renew_percentiles(Instant now);
  TransactionStats of(uint32_t transaction) const;
  const Histogram& start_lateness() const { return start_lateness_; }

 private:
  struct StageTally {  // what is counted of a stage, and what its percentiles are computed from
    StageStats shown;
    slo::LatencySamples samples;
    bool new_samples = false;
    Instant percentiles_at{};
  };
  struct Tally {
    TransactionStats shown;  // without stages
    std::vector<StageTally> stages;
    // The reasons of the present spell of bad runs that have been told: by stage, verdict and error.
    std::set<std::tuple<size_t, StageVerdict, ErrorCode>> told;
  };

  std::optional<Turn> another_bad(Tally& tally, const Run& run);
  void count_on(uint32_t transaction, const Stats& before, uint32_t was);

  StageTally& tally(const RunId& run, size_t stage) { return tallies_[run.transaction].stages[stage]; }

  const Plan& plan_;
  std::vector<Tally> tallies_;
  Histogram start_lateness_;
  Instant percentiles_at_{};
};

}  // namespace slosonde::engine
