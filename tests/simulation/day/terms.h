// What one seed draws for a day: a configuration, which faults there are, and how often they come.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probe/engine/plan.h"

namespace slosonde::day {

enum class Fault : uint8_t {
  // The pipeline's: the share of runs they meet.
  refused,
  hanging,
  slow,
  lost,
  late,
  doubled,
  poll_refused,
  // In spells, an hour.
  target_down,
  place_gone,
  out_of_sight,  // our own fault
  disk_full,
  disk_held,  // an operation on the file hangs
  // The process's end, an hour; it is begun again some time later.
  killed,
  power_cut,
  stopped,
  // Others, an hour.
  wall_step,
  suspended,  // no fault: somebody suspends a transaction, and resumes it
};
constexpr size_t kFaults = static_cast<size_t>(Fault::suspended) + 1;
std::string_view name(Fault fault);

struct PlaceTerms {
  bool reads_back = false;  // a topic; else a hook, which knows only what it is told while it listens
  bool exact = false;       // tells when a thing arrived; else only between which two looks
  Duration looks{};         // from one look to the next
};

struct Terms {
  uint64_t seed = 0;
  Duration length{}, commit_every{};
  std::vector<PlaceTerms> places;  // as plan->watches
  std::array<double, kFaults> rates{};
  std::shared_ptr<const engine::Plan> plan;

  double rate(Fault fault) const { return rates[static_cast<size_t>(fault)]; }
};

Terms draw(uint64_t seed, Duration length);
std::string describe(const Terms& terms);

}  // namespace slosonde::day
