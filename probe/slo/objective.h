// What an SLO promises, in numbers that compare exactly.
#pragma once

#include <cstdint>

#include "probe/base/time.h"

namespace slosonde::slo {

constexpr int64_t kWhole_ppb = 1'000'000'000;

// The share of good events promised, in parts per 1,000,000,000 (99.9% is 999'000'000), in (0, kWhole_ppb): both ends
// are outside. Never a double: thresholds are compared in whole numbers.
struct Objective {
  int64_t good_ppb = 999'000'000;

  // b = 1 - objective, the share of bad events that the budget allows.
  constexpr int64_t budget_ppb() const { return kWhole_ppb - good_ppb; }
  constexpr double budget() const { return static_cast<double>(budget_ppb()) / static_cast<double>(kWhole_ppb); }
  friend bool operator==(const Objective&, const Objective&) = default;
};

constexpr Duration kDefaultPeriod = std::chrono::hours(30 * 24);
constexpr Duration kLongestPeriod = std::chrono::hours(90 * 24);

// What the arithmetic needs to know of an SLO.
struct Terms {
  Objective objective;
  Duration period = kDefaultPeriod;  // rolling, up to kLongestPeriod
  Duration every{};                  // > 0; one event is expected each `every`, on average
};

}  // namespace slosonde::slo
