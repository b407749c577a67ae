// The alert machine of one tier of one SLO. Pure: the core steps it whenever counts have changed (after add(), and at
// History::next_change()), and persists the state; what is firing is read from the state, again and again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "probe/base/time.h"
#include "probe/slo/burn.h"
#include "probe/slo/history.h"
#include "probe/slo/objective.h"
#include "probe/slo/policy.h"

namespace slosonde::slo {

// Plain values, to be persisted as they are. Only step() changes them.
struct AlertState {
  bool active = false;
  Instant since{};        // active: when it fired. Else: when the last one had fired. Unset (epoch): never
  Instant last_change{};  // when `active` last changed; unset (epoch): never
  uint64_t fired = 0;     // how often, ever: with SLO and tier the identity of an outage

  friend bool operator==(const AlertState&, const AlertState&) = default;
};

enum class AlertChange : uint8_t { fired, resolved };

// The alert on coverage, beside the tiers: less than half of what was due in its window could be judged. Silence is no
// health.
constexpr std::string_view kCoverageTier = "coverage";
constexpr Duration kCoverageWindow = std::chrono::minutes(5);
constexpr uint64_t kLeastUnjudged = 2;

// kCoverageWindow, or as long as it takes for four events; at most the period.
Duration coverage_window(const Terms& terms);

// The part of the window before history began counts as judged, as it does for the tiers.
bool coverage_low(const Counts& counts, Refill refill);

// Fires when coverage is low. Resolves when it is not and something was judged, for the reason given below.
std::optional<AlertChange> step_coverage(AlertState& state, const Counts& counts, bool low, Instant now);

// What a tier sees now.
struct TierReading {
  Counts long_counts;
  Counts short_counts;
  bool long_over = false;   // bad > factor * b * N, with refill
  bool short_over = false;  // likewise

  friend bool operator==(const TierReading&, const TierReading&) = default;
};

// The tier's windows must be among the history's (windows_of()). O(1).
TierReading read_tier(const Tier& tier, const Terms& terms, const History& history);

// Fires when both windows are over and bad in the long one >= min_bad. Resolves when the short window is not over and
// has judged at least one event: silence, blindness and suspension are no proof of recovery, so an alert outlasts them.
// At most one change a step; nothing when the state stays. `now` stamps the change.
std::optional<AlertChange> step(AlertState& state, const Tier& tier, const TierReading& reading, Instant now);

}  // namespace slosonde::slo
