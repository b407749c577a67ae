// When an SLO pages: tiers of burn rate over a long and a short window. Default policy: Google, The Site Reliability
// Workbook, ch. 5, "Multiwindow, Multi-Burn-Rate Alerts".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probe/base/time.h"
#include "probe/slo/burn.h"
#include "probe/slo/objective.h"

namespace slosonde::slo {

enum class Severity : uint8_t { page, ticket };

// "page", "ticket": label values of slosonde_slo_alert_active.
std::string_view name(Severity severity);

constexpr uint32_t kDefaultMinBad = 2;

// Fires when bad > factor * b * N in both windows and bad in the long one >= min_bad (alerts.h).
struct Tier {
  Severity severity = Severity::page;
  BurnFactor factor;
  Duration long_window{};
  Duration short_window{};
  uint32_t min_bad = kDefaultMinBad;

  friend bool operator==(const Tier&, const Tier&) = default;
};

// "14.4x1h": factor and long window. The tier's label value; unique within a policy that has no tier twice.
std::string label(const Tier& tier);

// The workbook's four tiers: for 30 d, page 14.4 over 1 h and 5 m, page 6 over 6 h and 30 m, ticket 3 over 1 d and 2 h,
// ticket 1 over 3 d and 6 h. For another period the windows scale with it and the factors stay, so that the budget
// spent when a tier fires stays 2, 5, 10 and 10 %. Windows that do not scale to whole slots are rounded up (history.h).
std::vector<Tier> default_tiers(Duration period, uint32_t min_bad = kDefaultMinBad);

// Why a tier cannot fire, or means nothing.
enum class Misfit : uint8_t {
  none,
  never_over,       // factor * b >= 1: even with every run bad the burn rate does not exceed the factor
  too_few_runs,     // fewer than min_bad runs in the long window
  short_too_short,  // the short window holds no run (short < every), or is shorter than a slot
  longer_than_period,
  short_not_shorter,  // the short window is longer than the long one
};

// The first reason that applies. A tier that came by default is then dropped with a warning; one that was written is an
// error.
Misfit misfit(const Tier& tier, const Terms& terms);

// For people: "14.4x1h can never fire: with an objective of 90% even an outage burns at 10".
std::string explain(Misfit reason, const Tier& tier, const Terms& terms);

struct DroppedTier {
  Tier tier;
  Misfit reason = Misfit::none;
};

struct Policy {
  std::vector<Tier> tiers;           // those that can fire
  std::vector<DroppedTier> dropped;  // by default, and cannot
};

// default_tiers() without those that cannot fire under these terms.
Policy default_policy(const Terms& terms, uint32_t min_bad = kDefaultMinBad);

// The windows a History needs for these tiers and the period: each once, shortest first, whole slots.
std::vector<Duration> windows_of(const std::vector<Tier>& tiers, Duration period);

// What a tier means at the configured rate, for `validate`.
struct Outlook {
  uint64_t failures =
      0;  // k = max(min_bad, floor(factor * b * long / every) + 1): this many fire it, from a clean start
  Duration outage_seen{};   // median time from the start of a total outage to firing: (k - 1/2) * every + within
  double budget_spent = 0;  // share of the period's budget that a burn at exactly the factor spends in the long window
  bool short_is_thin = false;  // short < 3 * every: one good run resolves it, one late run delays it; worth a warning
};

// For a tier without a misfit. `within`: the limit at which a failing run is decided, counted from due.
Outlook outlook(const Tier& tier, const Terms& terms, Duration within);

}  // namespace slosonde::slo
