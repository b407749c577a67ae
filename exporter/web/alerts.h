// Why a tier of an alert is quiet although the budget burns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "probe/engine/snapshot.h"

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

// Given where the tier burns over its factor in both windows, and too little has failed yet for it to fire.
inline std::optional<Failures> waits_for(const engine::SloStatus& slo, const engine::AlertStatus& alert) {
  const auto* in_long = window_of(slo, alert.long_window);
  const auto* in_short = window_of(slo, alert.short_window);
  if (alert.active || in_long == nullptr || in_short == nullptr) return std::nullopt;
  if (in_long->bad >= alert.fires_at) return std::nullopt;
  if (in_long->burn_rate.value_or(0) <= alert.factor || in_short->burn_rate.value_or(0) <= alert.factor)
    return std::nullopt;
  return Failures{in_long->bad, alert.fires_at};
}

}  // namespace slosonde::exporter
