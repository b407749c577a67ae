// What is kept over a restart, in plain values: a batch is what has changed since the one before it, a consistent cut
// of the engine's state that is committed as one. What was loaded at the start is a batch, too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/base/time.h"
#include "probe/slo/alerts.h"

namespace slosonde::store {

// The counts of one SLI, by its definition: a new one starts anew.
struct KeptSli {
  std::string definition;
  Instant since{};  // counting began
  Instant used{};   // a configuration had it; long unused ones are forgotten
  Duration fine{};  // how far before `used` slots of 10 s reach; zero: as far as any window asks (an old file)
  friend bool operator==(const KeptSli&, const KeptSli&) = default;
};

// Sixty slots of an SLI's counts as slo::Block writes them.
struct KeptCounts {
  std::string definition;
  Duration slot{};    // 10 s or 1 min
  int64_t block = 0;  // number of the first slot / 60
  std::string bytes;
  friend bool operator==(const KeptCounts&, const KeptCounts&) = default;
};

// What lies before a block is in no window any more, or is to be replaced.
struct Forgotten {
  std::string definition;
  Duration slot{};
  int64_t before_block = 0;
};

struct KeptAlert {
  std::string definition;  // of the SLI that it was computed from
  std::string slo, tier;
  slo::AlertState state;
  friend bool operator==(const KeptAlert&, const KeptAlert&) = default;
};

struct RunKey {
  uint64_t stream = 0;  // the probe's transaction, as in the marker
  uint64_t epoch = 0;
  uint64_t seq = 0;
  friend auto operator<=>(const RunKey&, const RunKey&) = default;
};

struct KeptRun {
  RunKey key;
  std::string record;  // empty: the run is closed, and kept no longer
  friend bool operator==(const KeptRun&, const KeptRun&) = default;
};

// The schedule of one transaction, up to where its slots have been started or missed.
struct KeptSchedule {
  uint64_t stream = 0;
  std::string definition;  // of the grid: another one starts anew
  Instant next_slot{};
  friend bool operator==(const KeptSchedule&, const KeptSchedule&) = default;
};

struct KeptWatch {
  std::string definition;
  std::string position;  // as the watch wrote it; empty: none
  std::string coverage;  // as the engine wrote it
  friend bool operator==(const KeptWatch&, const KeptWatch&) = default;
};

// A maintenance window that was declared to the running probe, by the wall clock.
struct KeptExclusion {
  std::string name;
  std::vector<std::string> transactions;  // none: all
  Instant from{}, to{};
  std::optional<Instant> ended;  // before its time
  friend bool operator==(const KeptExclusion&, const KeptExclusion&) = default;
};

// A transaction that starts no runs until it is resumed.
struct KeptSuspension {
  std::string transaction;
  Instant since{};
  friend bool operator==(const KeptSuspension&, const KeptSuspension&) = default;
};

// How instants of the process relate to the machine's own clock: processes of one boot whose offsets differ had the
// wall clock set in between.
struct KeptClock {
  uint64_t boot = 0;  // which boot, by a number of 63 bits
  Duration offset{};  // wall clock minus boot clock, when the process began
  friend bool operator==(const KeptClock&, const KeptClock&) = default;
};

struct Batch {
  // Everything there is: alerts, runs, schedules and watches that are not in it are kept no longer. Of counts only
  // those of SLIs that it names are replaced: others wait for a configuration that has them again.
  bool whole = false;
  std::optional<uint64_t> epoch;  // of the process's markers
  std::optional<KeptClock> clock;
  std::vector<KeptSli> slis;
  std::vector<KeptCounts> counts;
  std::vector<Forgotten> forgotten;
  std::vector<KeptAlert> alerts;
  std::vector<KeptRun> runs;
  std::vector<KeptSchedule> schedules;
  std::vector<KeptWatch> watches;
  // Given: these, and no others.
  std::optional<std::vector<KeptExclusion>> exclusions;
  std::optional<std::vector<KeptSuspension>> suspensions;

  bool empty() const {
    return !whole && !epoch && !clock && slis.empty() && counts.empty() && forgotten.empty() && alerts.empty() &&
           runs.empty() && schedules.empty() && watches.empty() && !exclusions && !suspensions;
  }
};

}  // namespace slosonde::store
