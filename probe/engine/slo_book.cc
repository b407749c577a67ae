#include "probe/engine/slo_book.h"

#include <algorithm>

namespace slosonde::engine {

namespace {

slo::Terms terms_of(const SloPlan& plan, Duration every) {
  slo::Terms terms;
  terms.objective.good_ppb = plan.objective_ppb;
  terms.period = plan.window;
  // A transaction that is only triggered has no rate and counts nothing; one event a period keeps the arithmetic whole.
  terms.every = every > Duration::zero() ? every : plan.window;
  return terms;
}

UnjudgedCounts unjudged_of(const slo::Counts& counts) {
  return {counts.blind, counts.probe_fault, counts.missed, counts.excluded};
}

}  // namespace

SloBook::SloBook(const SloPlan& plan, Duration every, Instant start)
    : plan_(plan),
      terms_(terms_of(plan, every)),
      policy_(slo::default_policy(terms_, plan.min_bad)),
      history_(start, plan.window, slo::windows_of(policy_.tiers, plan.window)),
      alerts_(policy_.tiers.size()) {}

void SloBook::count(Instant t, slo::Event event) {
  history_.add(t, event);
  ++total_[event];
  changed_ = true;
}

void SloBook::count_missed(Instant first, Duration every, uint64_t n) {
  if (n == 0) return;
  total_.missed += n;
  changed_ = true;
  const Instant last = first + every * static_cast<int64_t>(n - 1);
  // What lies before the period as seen from the last one is in no window.
  const Instant floor = last - history_.period() - slo::kCoarseSlot;
  uint64_t k = first < floor ? static_cast<uint64_t>((floor - first) / every) : 0;
  while (k < n) {
    const Instant t = first + every * static_cast<int64_t>(k);
    const Duration into = t.time_since_epoch() % slo::kFineSlot;
    const auto in_slot = static_cast<uint64_t>((slo::kFineSlot - into - Duration(1)) / every) + 1;
    const uint64_t together = std::min(in_slot, n - k);
    history_.add(t, slo::Event::missed, together);
    k += together;
  }
}

void SloBook::step(Instant now, const OnChange& on_change) {
  history_.advance(now);
  changed_ = false;
  for (size_t i = 0; i < policy_.tiers.size(); ++i) {
    const slo::Tier& tier = policy_.tiers[i];
    const slo::TierReading reading = slo::read_tier(tier, terms_, history_);
    if (const auto change = slo::step(alerts_[i], tier, reading, history_.now())) on_change(tier, reading, *change);
  }
}

WindowStatus SloBook::window_status(Duration window) const {
  const slo::Counts& counts = history_.sum(window);
  WindowStatus status;
  status.window = window;
  status.good = counts.good;
  status.bad = counts.bad;
  status.unjudged = unjudged_of(counts);
  status.burn_rate = slo::burn_rate(counts, terms_.objective);
  status.coverage = counts.coverage();
  return status;
}

SloStatus SloBook::status() const {
  SloStatus status;
  status.good_total = total_.good;
  status.bad_total = total_.bad;
  status.unjudged_total = unjudged_of(total_);
  status.since = history_.history_start();
  const Duration period = history_.period();
  status.period = window_status(period);
  for (const Duration window : history_.windows()) {
    const auto uses = [&](const slo::Tier& tier) {
      return slo::whole_slots(tier.long_window) == window || slo::whole_slots(tier.short_window) == window;
    };
    if (std::any_of(policy_.tiers.begin(), policy_.tiers.end(), uses)) status.windows.push_back(window_status(window));
  }
  const slo::Counts& whole = history_.sum(period);
  const slo::Refill refill{terms_.every, history_.unobserved(period)};
  status.budget_remaining = slo::budget_remaining(whole, refill, terms_.objective);
  status.budget_remaining_observed = slo::budget_remaining_observed(whole, terms_.objective);
  for (size_t i = 0; i < policy_.tiers.size(); ++i) {
    const slo::Tier& tier = policy_.tiers[i];
    AlertStatus alert;
    alert.tier = slo::label(tier);
    alert.severity = slo::name(tier.severity);
    alert.factor = tier.factor.value();
    alert.long_window = tier.long_window;
    alert.short_window = tier.short_window;
    alert.active = alerts_[i].active;
    if (alerts_[i].fired > 0) alert.since = alerts_[i].last_change;
    status.alerts.push_back(std::move(alert));
  }
  return status;
}

}  // namespace slosonde::engine
