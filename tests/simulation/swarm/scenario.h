// What one seed draws: its own configuration, which faults exist in its world, and how often they come.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probe/engine/plan.h"

namespace slosonde::swarm {

using Time = int64_t;  // nanoseconds, on the line of Instant
constexpr Time kMillisecond = 1'000'000;
constexpr Time kSecond = 1'000 * kMillisecond;
constexpr Time kMinute = 60 * kSecond;
constexpr Time kHour = 60 * kMinute;
constexpr Time kDay = 24 * kHour;

enum class Mode : uint8_t { done, polled, watched };

enum class Expected : uint8_t { some, exactly_one, none };

struct StageTerms {
  Mode mode = Mode::done;
  Expected expected = Expected::some;  // of what is watched
  Time within = 0;
  Time poll_every = 0, poll_timeout = 0;
  size_t watch = 0;
};

struct TransactionTerms {
  uint32_t number = 0;  // stays when others are taken away, and with it all that is drawn for it
  Time every = 0;
  uint32_t max_in_flight = 1;
  Time linger = 0;
  uint32_t edition = 0;            // of its settings: a reload has changed them so often
  std::vector<StageTerms> stages;  // acts and polls first, then what is watched

  std::string name() const { return "t" + std::to_string(number); }
};

struct WatchTerms {
  bool reads_back = false;  // a topic; else a hook, which knows only what it is told while it listens
  bool exact = false;       // the place's own times are believed when a gap is read back
  Time heartbeat = 0;       // from one report of coverage to the next
};

struct SloTerms {
  size_t transaction = 0;
  int stage = -1;        // -1: the whole run
  Time faster_than = 0;  // 0: availability
  int64_t objective_ppb = 0;
  Time window = 0;
  uint32_t min_bad = 2;
};

enum class Fault : uint8_t {
  // The pipeline's, by run.
  refused,
  slow,
  hanging,
  lost,
  slow_delivery,
  corrupt,
  overtaking,
  duplicate,
  redelivered,
  unwanted,
  // The pipeline's, in spells a day.
  target_down,
  swallowing,
  place_gone,
  // Others', an hour.
  strangers,
  // The probe's: by run, then in spells a day.
  own_fault,
  hook_down,
  late_loop,
  frozen,
  crash,
  clean_stop,
  wall_step,
  full_disk,
  grain,      // the loop takes several things in before a turn
  starved,    // it had to wait for a processor, and knows it
  suspended,  // no fault: somebody suspends a transaction, and resumes it some time later
  excluded,   // likewise: somebody declares that nothing counts for a while, and may end that before its time
  reloaded,   // likewise: another configuration, or the same again
};
constexpr size_t kFaults = static_cast<size_t>(Fault::reloaded) + 1;
std::string_view name(Fault fault);

struct Scenario {
  uint64_t seed = 0;
  Time length = 0;
  Time settle = 0, max_lateness = 0, commit_every = 0;
  std::vector<TransactionTerms> transactions;
  std::vector<WatchTerms> watches;
  std::vector<SloTerms> slos;
  std::array<double, kFaults> rates{};
  bool keeps_state = true;        // else each process knows nothing of those before
  bool wrong_on_purpose = false;  // the oracle takes what is late for lost: for the test of what becomes of a failure

  double rate(Fault fault) const { return rates[static_cast<size_t>(fault)]; }
};

Scenario draw(uint64_t seed, Time length);
// Without the `index`th transaction, and its SLOs.
Scenario without_transaction(Scenario scenario, size_t index);
std::shared_ptr<const engine::Plan> plan_of(const Scenario& scenario);
std::string describe(const Scenario& scenario);

}  // namespace slosonde::swarm
