#include "probe/slo/alerts.h"

#include <algorithm>

namespace slosonde::slo {

Duration coverage_window(const Terms& terms) {
  return whole_slots(std::min(std::max(kCoverageWindow, 4 * terms.every), terms.period));
}

bool coverage_low(const Counts& counts, Refill refill) {
  const uint64_t unjudged = counts.blind + counts.probe_fault + counts.missed;
  const uint64_t wanted = counts.judged() + unjudged + static_cast<uint64_t>(refill.unobserved / refill.every);
  return unjudged >= kLeastUnjudged && unjudged > wanted / 2;
}

namespace {

AlertChange fire(AlertState& state, Instant now) {
  state.active = true;
  state.since = state.last_change = now;
  ++state.fired;
  return AlertChange::fired;
}

AlertChange resolve(AlertState& state, Instant now) {
  state.active = false;
  state.last_change = now;
  return AlertChange::resolved;
}

}  // namespace

std::optional<AlertChange> step_coverage(AlertState& state, const Counts& counts, bool low, Instant now) {
  if (!state.active) return low ? std::optional(fire(state, now)) : std::nullopt;
  if (low || counts.judged() == 0) return std::nullopt;
  return resolve(state, now);
}

TierReading read_tier(const Tier& tier, const Terms& terms, const History& history) {
  TierReading reading{.long_counts = history.sum(tier.long_window), .short_counts = history.sum(tier.short_window)};
  const auto is_over = [&](const Counts& counts, Duration window) {
    const Refill refill{.every = terms.every, .unobserved = history.unobserved(window)};
    return over(counts, refill, tier.factor, terms.objective);
  };
  reading.long_over = is_over(reading.long_counts, tier.long_window);
  reading.short_over = is_over(reading.short_counts, tier.short_window);
  return reading;
}

std::optional<AlertChange> step(AlertState& state, const Tier& tier, const TierReading& reading, Instant now) {
  if (!state.active) {
    const bool enough = reading.long_counts.bad >= tier.min_bad;
    if (!reading.long_over || !reading.short_over || !enough) return std::nullopt;
    return fire(state, now);
  }
  if (reading.short_over || reading.short_counts.judged() == 0) return std::nullopt;
  return resolve(state, now);
}

}  // namespace slosonde::slo
