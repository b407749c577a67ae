#include "probe/slo/alerts.h"

namespace slosonde::slo {

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
    state.active = true;
    state.since = state.last_change = now;
    ++state.fired;
    return AlertChange::fired;
  }
  if (reading.short_over || reading.short_counts.judged() == 0) return std::nullopt;
  state.active = false;
  state.last_change = now;
  return AlertChange::resolved;
}

}  // namespace slosonde::slo
