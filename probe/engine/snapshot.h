// Everything the world may ask of the engine, as one immutable value: taken on the engine thread, read on any.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probe/engine/plan.h"
#include "probe/engine/run.h"
#include "probe/engine/run_list.h"

namespace slosonde::engine {

// A histogram as Prometheus means it: `edges` are upper bounds in seconds, ascending; counts[i] are the observations
// in (edges[i-1], edges[i]], the last one of counts those over every edge. Lost and failed stages are in that last one
// and not in the sum.
struct Histogram {
  std::shared_ptr<const std::vector<double>> edges;
  std::vector<uint64_t> counts;  // edges->size() + 1
  double sum = 0;
  void observe(double value);
  void observe_infinite();
  uint64_t count() const;
};

enum class Bound : uint8_t { point, lower, upper };

// One percentile of one window. Absent when it has nothing to say (no samples, or too few for the bound).
struct Percentile {
  double percentile = 0;  // 0.5, 0.95, 0.99
  Duration window{};
  Bound bound = Bound::point;
  double seconds = 0;  // may be +infinity: the percentile falls among lost runs
};

struct StageStats {
  std::array<uint64_t, kStageVerdicts> verdicts{};
  std::array<uint64_t, kErrorCodes> failures{};  // by reason, for verdict failed
  std::array<uint64_t, kSightings> sightings{};
  Histogram latency, hop;
  std::array<Histogram, checks::kPhases> phases;
  std::optional<Instant> certificate_expiry;
  std::vector<Percentile> percentiles;
};

// Bad runs that no good one has ended yet.
struct BadSpell {
  Instant since{};  // when the first was decided
  uint64_t runs = 0;
  std::string what;  // was wrong with the last one, for people
};

struct TransactionStats {
  std::array<uint64_t, kRunVerdicts> verdicts{};
  uint64_t in_flight = 0;
  Instant next_due{};
  std::vector<StageStats> stages;
  std::optional<RunVerdict> last_verdict;
  std::optional<Instant> last_good, last_bad;  // when decided
  std::optional<BadSpell> bad_spell;
  std::optional<Instant> suspended_since;  // it starts no runs until it is resumed
};

enum class WatchState : uint8_t { starting, in_sight, out_of_sight };
std::string_view name(WatchState state);

struct WatchStatus {
  WatchState state = WatchState::starting;
  Error error;                        // while out of sight
  std::optional<Instant> covered_to;  // absence is proven up to here
};

struct UnjudgedCounts {
  uint64_t blind = 0, probe_fault = 0, missed = 0, excluded = 0;
  uint64_t excluded_good = 0, excluded_bad = 0;  // of `excluded`: what they would have been
  uint64_t excluded_unjudged() const { return excluded - excluded_good - excluded_bad; }
};

struct WindowStatus {
  Duration window{};
  uint64_t good = 0, bad = 0;
  UnjudgedCounts unjudged;
  // The SLI itself, and as it would be had nothing been excluded; none without judged events.
  std::optional<double> good_share, good_share_with_excluded;
  std::optional<double> burn_rate;  // none without judged events
  std::optional<double> coverage;   // none without decided slots
};

struct AlertStatus {
  std::string tier;      // "14.4x1h": factor and long window
  std::string severity;  // page | ticket
  double factor = 0;     // 0: the alert on coverage, which is no burn rate's
  Duration long_window{}, short_window{};
  uint64_t fires_at = 0;  // so many failures in the long window fire it, from a clean start, at the configured rate
  bool active = false;
  std::optional<Instant> since;  // of the present state of being active
};

struct SloStatus {
  uint64_t good_total = 0, bad_total = 0;  // since the process began: the exported counters
  UnjudgedCounts unjudged_total;
  WindowStatus period;                // over the SLO's whole window
  std::vector<WindowStatus> windows;  // of the tiers, ascending
  std::optional<double> budget_remaining, budget_remaining_observed;
  std::vector<AlertStatus> alerts;
  Instant since{};  // history begins
};

struct ExclusionStatus {
  std::string name;
  bool declared = false;                  // to the running probe; else it is in the configuration
  std::vector<std::string> transactions;  // none: all
  slo::Window window;                     // by the wall clock, as is `next`
  bool active = false;
  bool ended_early = false;
  std::optional<slo::WallSpan> next;  // the present one, or the next; none: it is over
};

// What survives the process, and whether it does just now.
struct StateStatus {
  std::string path;
  bool writable = true;  // the last commit succeeded
  std::string error;     // of the last one, while it did not
  uint64_t commits = 0, failures = 0;
  uint64_t moved_aside = 0;             // damaged files, since the process began
  std::string last_aside;               // where the last one lies, and why
  std::optional<Instant> committed_to;  // what was known by then is safe
};

// The configuration in force.
struct ConfigStatus {
  Instant loaded{};                          // when it came into force
  bool reload_succeeded = true;              // the last attempt to reload it, if any
  std::shared_ptr<const std::string> shown;  // as JSON, for views; null: it is as at the start
};

struct Snapshot {
  Instant at{};
  Duration wall_offset{};  // add to an Instant to get what the wall clock says
  std::shared_ptr<const Plan> plan;
  Instant started{};
  bool ready = false;                          // configuration loaded and every watch started
  bool draining = false;                       // SIGTERM seen
  std::vector<TransactionStats> transactions;  // in plan order, as are all below
  std::vector<WatchStatus> watches;
  std::vector<std::optional<bool>> witnesses;  // whether each answered when last asked; none: not known yet
  std::optional<Instant> silent_since;         // no witness answers from then on
  std::vector<SloStatus> slos;
  std::vector<ExclusionStatus> exclusions;  // of the configuration first, then those declared to the running probe
  RunList runs;                             // in flight and the last closed ones, of each transaction (bounded)
  Histogram start_lateness, loop_lag;
  uint64_t wall_steps = 0;
  uint64_t inbox_dropped = 0;
  uint64_t clean_up_dropped = 0;       // steps under `finally` that were not begun for want of a place
  std::optional<StateStatus> state;    // none: nothing is kept
  std::optional<ConfigStatus> config;  // none: nobody has told
};

}  // namespace slosonde::engine
