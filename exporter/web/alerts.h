// Why a tier of an alert is quiet although the budget burns.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "probe/engine/plan.h"
#include "probe/engine/snapshot.h"
#include "probe/slo/burn.h"

namespace slosonde::exporter {

// Bad events in a tier's long window.
struct Failures {
  uint64_t has = 0, needs = 0;
};

inline const engine::WindowStatus* window_of(const engine::SloStatus& slo, Duration window) {
  const auto found = std::find_if(slo.windows.begin(), slo.windows.end(),
                                  [&](const engine::WindowStatus& one) { return one.window == window; });
  return found == slo.windows.end() ? nullptr : &*found;
}

// What fires the tier at the configured rate: as many failures as burn at the factor over the whole long window, and no
// fewer than `min_bad`. As `validate` says it.
inline uint64_t failures_needed(const engine::Plan& all, const engine::SloPlan& plan,
                                const engine::AlertStatus& alert) {
  const Duration every = all.transactions[plan.transaction].every;
  const slo::BurnFactor factor{static_cast<uint32_t>(std::lround(alert.factor * 1000))};
  const uint64_t over = slo::failures_over(alert.long_window, every > Duration::zero() ? every : plan.window, factor,
                                           slo::Objective{plan.objective_ppb});
  return std::max<uint64_t>(over, plan.min_bad);
}

// Given where the tier burns over its factor in both windows, and too little has failed yet for it to fire.
inline std::optional<Failures> waits_for(const engine::Plan& all, const engine::SloPlan& plan,
                                         const engine::SloStatus& slo, const engine::AlertStatus& alert) {
  const auto* in_long = window_of(slo, alert.long_window);
  const auto* in_short = window_of(slo, alert.short_window);
  if (alert.active || in_long == nullptr || in_short == nullptr) return std::nullopt;
  const uint64_t needs = failures_needed(all, plan, alert);
  if (in_long->bad >= needs) return std::nullopt;
  if (in_long->burn_rate.value_or(0) <= alert.factor || in_short->burn_rate.value_or(0) <= alert.factor)
    return std::nullopt;
  return Failures{in_long->bad, needs};
}

}  // namespace slosonde::exporter
