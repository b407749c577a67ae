// What happened in a simulated world: the only thing the oracle is told. Plain numbers; times are nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace slosonde::simulation {

using Time = int64_t;
constexpr Time kMillisecond = 1'000'000;
constexpr Time kSecond = 1'000 * kMillisecond;
constexpr Time kMinute = 60 * kSecond;
constexpr Time kHour = 60 * kMinute;

enum class Answer : uint8_t { held, failed, own_fault };

// The result of a run's first stage, as it reached the core.
struct ResultFact {
  uint32_t transaction = 0;
  uint64_t seq = 0;
  Time sent = 0, received = 0;  // as stamped
  Time fed = 0;                 // when the core was told
  Answer answer = Answer::held;
};

enum class Owner : uint8_t {
  this_run,     // transaction and seq say which
  other_key,    // or another probe's
  other_epoch,  // genuine, of this probe, from another start
  never_sent,   // genuine, of a run not yet started
  unreadable    // damaged: a marker no longer
};

// A text with a marker, as it reached the core.
struct EvidenceFact {
  size_t watch = 0;
  Owner owner = Owner::this_run;
  uint32_t transaction = 0;
  uint64_t seq = 0;
  bool corrupt = false;  // with another run's payload
  uint64_t item = 0;
  Time lo = 0, hi = 0, fed = 0;
};

struct CoverageFact {
  Time fed = 0, from = 0, to = 0;
};

enum class Sight : uint8_t { in_sight, place_gone, own_fault };

struct SightFact {
  Time fed = 0;
  Sight sight = Sight::in_sight;
};

struct WatchFacts {
  std::vector<CoverageFact> coverage;  // by fed
  std::vector<SightFact> sight;        // by fed; changes only
};

struct Facts {
  Time start = 0, end = 0;  // no slot is begun at or after `drained`
  Time drained = 0;
  std::vector<Time> turns;             // when the core was advanced, ascending
  std::vector<ResultFact> results;     // by fed
  std::vector<EvidenceFact> evidence;  // by fed
  std::vector<WatchFacts> watches;
  std::vector<Time> first_due;  // of each transaction: where its grid lies
};

// What the oracle needs to know of the configuration.
struct StageTerms {
  bool watched = false;
  Time within = 0;
  size_t watch = 0;
};
struct TransactionTerms {
  Time every = 0;
  uint64_t max_in_flight = 0;
  Time linger = 0;
  std::vector<StageTerms> stages;  // the first is done, the others are watched
};
struct SloTerms {
  size_t transaction = 0;
  int stage = -1;        // -1: the run
  Time faster_than = 0;  // 0: availability
};
struct Terms {
  Time settle = 0, max_lateness = 0;
  std::vector<TransactionTerms> transactions;
  std::vector<SloTerms> slos;
};

// What is compared. The oracle computes it from facts, the core's snapshot is put into it.
struct StageCounts {
  std::vector<uint64_t> verdicts;   // on_time late lost corrupt failed skipped unseen
  std::vector<uint64_t> sightings;  // first late duplicate reordered corrupt foreign stale unexpected
  uint64_t latencies = 0, hops = 0;
  double latency_sum = 0, hop_sum = 0;  // seconds
};
struct TransactionCounts {
  std::vector<uint64_t> runs;  // good bad blind probe_fault missed excluded
  std::vector<StageCounts> stages;
};
struct SloCounts {
  uint64_t good = 0, bad = 0, blind = 0, probe_fault = 0, missed = 0;
  bool operator==(const SloCounts&) const = default;
};
struct WindowReading {
  Time at = 0;
  size_t slo = 0;
  Time window = 0;
  SloCounts counts;
  double burn_rate = -1;  // -1: none
};

}  // namespace slosonde::simulation
