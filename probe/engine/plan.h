// What the core runs, as plain data: made from the configuration by plan_from(), or written by hand in tests and the
// simulation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checks/watch.h"
#include "probe/base/secret.h"
#include "probe/base/time.h"
#include "probe/slo/window.h"

namespace slosonde::engine {

enum class StageMode : uint8_t { done, polled, watched };
// What a watched stage waits for: at least one copy of the marker by its limit, no second one either, or none at all.
enum class Expectation : uint8_t { some, exactly_one, none };
std::string_view name(Expectation expect);

struct StagePlan {
  std::string name;
  StageMode mode = StageMode::done;
  Duration within{};                                          // the limit, from due or from the sighting of `from`
  std::optional<size_t> from;                                 // an earlier stage
  Duration poll_every{};                                      // polled: from one attempt's start to the next
  Duration poll_timeout{};                                    // polled: one attempt's deadline
  size_t watch = 0;                                           // watched: index into Plan::watches
  checks::EvidencePhase phase = checks::EvidencePhase::none;  // watched; none: whatever is not `resolved`
  Expectation expect = Expectation::some;                     // watched
  bool observer = false;          // watched: no user depends on the place; when it fails, we see less
  bool sends_payload = true;      // its check is to be given the run's payload
  bool payload_required = false;  // evidence without the run's payload is corrupt (else only with another payload)
  std::string definition = {};    // of the check or watch: the same for the same kind and settings, secrets included

  friend bool operator==(const StagePlan&, const StagePlan&) = default;
};

struct TransactionPlan {
  std::string name;
  Duration every{};  // 0: only when triggered
  unsigned max_in_flight = 1;
  Duration linger{};   // after the last limit: how long late evidence is told from stale
  Duration backoff{};  // at most so far apart are runs while the target cannot be reached; 0: every slot is tried
  std::vector<StagePlan> stages;
  std::vector<StagePlan> finally;  // done, never judged; `within` counts from the step's start

  friend bool operator==(const TransactionPlan&, const TransactionPlan&) = default;
};

struct WatchPlan {
  std::string name;  // "kafka incidents": for views and messages
  std::string kind;
  std::string definition = {};  // the same for the same settings: the key under which its position is kept

  friend bool operator==(const WatchPlan&, const WatchPlan&) = default;
};

struct SloPlan {
  std::string name;
  int64_t objective_ppb = 0;  // parts per billion
  Duration window{};
  size_t transaction = 0;
  std::optional<size_t> stage;          // none: the whole run
  std::optional<Duration> faster_than;  // given: latency
  unsigned min_bad = 2;
  std::vector<std::pair<std::string, std::string>> labels, annotations;

  friend bool operator==(const SloPlan&, const SloPlan&) = default;
};

// A declared maintenance window.
struct ExclusionPlan {
  std::string name;
  std::vector<size_t> transactions;  // none: all
  slo::Window window;
};

struct Plan {
  std::string probe, region, zone;
  Secret key;
  Duration settle{};
  Duration max_lateness{};
  std::vector<TransactionPlan> transactions;
  std::vector<WatchPlan> watches;
  std::vector<SloPlan> slos;
  std::vector<ExclusionPlan> exclusions = {};
  std::vector<std::string> witnesses = {};  // tcp://10.0.0.1:443
};

}  // namespace slosonde::engine
