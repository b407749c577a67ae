// A run as a record: what the core advances, what views show, what a store will keep.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/check.h"
#include "probe/base/error.h"
#include "probe/base/time.h"

namespace slosonde::engine {

enum class RunVerdict : uint8_t { good, bad, blind, probe_fault, missed, excluded };
constexpr int kRunVerdicts = 6;
std::string_view name(RunVerdict verdict);

enum class StageVerdict : uint8_t { on_time, late, lost, corrupt, failed, skipped, unseen };
constexpr int kStageVerdicts = 7;
std::string_view name(StageVerdict verdict);

enum class Sighting : uint8_t { first, late, duplicate, reordered, corrupt, foreign, stale, unexpected };
constexpr int kSightings = 8;
std::string_view name(Sighting kind);

enum class Origin : uint8_t { scheduled, triggered };  // triggered runs count in no SLI and no exported counter

struct RunId {
  uint32_t transaction = 0;  // index into the plan
  uint64_t seq = 0;
  friend auto operator<=>(const RunId&, const RunId&) = default;
};

struct StageRecord {
  std::optional<StageVerdict> verdict;  // none while open; a stage that is bad and may yet be seen has none but `bad`
  bool bad = false;                     // decided bad at its limit; late or lost is known when the run closes
  std::optional<Instant> started;       // of its first attempt
  std::optional<Instant> seen_lo, seen_hi;
  std::optional<Duration> latency;  // seen_hi − due
  std::optional<Duration> hop;      // seen_hi − the previous stage's, at least 0
  std::optional<Instant> decided;   // the instant that decided it
  uint32_t attempts = 0;
  checks::Phases phases;                               // of the last attempt that answered
  checks::Delivery delivery = checks::Delivery::none;  // likewise: what is known of the thing it sent
  Error error;                                         // of the last attempt that did not hold
  bool waits_for_sight = false;                        // open past its limit: what came by then is not yet known
};

struct RunRecord {
  RunId id;
  std::string marker;       // also the run's name in the API
  std::string traceparent;  // of the root span
  Origin origin = Origin::scheduled;
  Instant due{}, started{};
  std::optional<RunVerdict> verdict;   // none while in flight
  std::optional<RunVerdict> would_be;  // of an excluded one: its verdict but for that
  std::optional<Instant> decided;      // when the verdict was known
  bool closed = false;                 // late or lost is known everywhere
  std::vector<StageRecord> stages;
  std::vector<StageRecord> finally;
  checks::Captures captures;
};

}  // namespace slosonde::engine
