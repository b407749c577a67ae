#include "probe/engine/slo_book.h"

#include <algorithm>
#include <utility>

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
  return {counts.blind,      counts.probe_fault,   counts.missed,
          counts.excluded(), counts.excluded_good, counts.excluded_bad};
}

std::vector<Duration> with_coverage(std::vector<Duration> windows, const slo::Terms& terms) {
  windows.push_back(slo::coverage_window(terms));
  return windows;
}

std::string text_of(const slo::Tier& tier, const slo::TierReading& reading, bool fired) {
  const slo::Counts& seen = fired ? reading.long_counts : reading.short_counts;
  const Duration window = fired ? tier.long_window : tier.short_window;
  return std::string(slo::name(tier.severity)) + ' ' + slo::label(tier) + ": " + std::to_string(seen.bad) + " of " +
         std::to_string(seen.judged()) + " bad in " + format_duration(window);
}

std::vector<Duration> all_windows(std::vector<Duration> own, const std::vector<Duration>& also) {
  own.insert(own.end(), also.begin(), also.end());
  return own;
}

}  // namespace

std::vector<Duration> SloBook::windows_for(const SloPlan& plan, Duration every) {
  const slo::Policy policy = slo::default_policy(terms_of(plan, every), plan.min_bad);
  return with_coverage(slo::windows_of(policy.tiers, plan.window), terms_of(plan, every));
}

SloBook::SloBook(const SloPlan& plan, Duration every, Instant start, SliPart part)
    : plan_(plan),
      terms_(terms_of(plan, every)),
      policy_(slo::default_policy(terms_, plan.min_bad)),
      sli_(std::move(part)),
      windows_(all_windows(windows_for(plan, every), sli_.also)),
      history_(start, plan.window, windows_),
      alerts_(policy_.tiers.size() + 1) {}

void SloBook::count(Instant t, slo::Event event) {
  history_.add(t, event);
  ++total_[event];
  changed_ = true;
}

void SloBook::count_slots(Instant first, Duration every, uint64_t n, slo::Event event) {
  if (n == 0) return;
  total_[event] += n;
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
    history_.add(t, event, together);
    k += together;
  }
}

void SloBook::step(Instant now, const OnChange& on_change) {
  history_.advance(now);
  changed_ = false;
  for (size_t i = 0; i < policy_.tiers.size(); ++i) {
    const slo::Tier& tier = policy_.tiers[i];
    if (!alerts_[i].active && history_.sum(tier.short_window).bad == 0) continue;  // nothing is over nothing
    const slo::TierReading reading = slo::read_tier(tier, terms_, history_);
    const auto change = slo::step(alerts_[i], tier, reading, history_.now());
    if (!change) continue;
    const bool fired = *change == slo::AlertChange::fired;
    on_change(fired, text_of(tier, reading, fired));
  }
  step_coverage(on_change);
}

slo::Refill SloBook::refill(Duration window) const {
  return {terms_.every, history_.unobserved(window)};
}

void SloBook::step_coverage(const OnChange& on_change) {
  const Duration window = slo::coverage_window(terms_);
  const slo::Counts& counts = history_.sum(window);
  const auto change =
      slo::step_coverage(alerts_.back(), counts, slo::coverage_low(counts, refill(window)), history_.now());
  if (!change) return;
  const uint64_t unjudged = counts.blind + counts.probe_fault + counts.missed;
  on_change(*change == slo::AlertChange::fired, "page coverage: " + std::to_string(unjudged) + " of " +
                                                    std::to_string(counts.judged() + unjudged) +
                                                    " could not be judged in " + format_duration(window));
}

std::string SloBook::alert_name(size_t alert) const {
  return alert < policy_.tiers.size() ? slo::label(policy_.tiers[alert]) : std::string(slo::kCoverageTier);
}

void SloBook::keep_changes() {
  if (sli_.keeps_counts) history_.track_changes();
}

void SloBook::take_changes(bool whole, store::Batch& batch) {
  if (sli_.keeps_counts) take_counts(whole, batch);
  for (size_t i = 0; i < alerts_.size(); ++i) {
    if (!whole && i < kept_alerts_.size() && alerts_[i] == kept_alerts_[i]) continue;
    batch.alerts.push_back({sli_.definition, plan_.name, alert_name(i), alerts_[i]});
  }
  kept_alerts_ = alerts_;
}

void SloBook::take_counts(bool whole, store::Batch& batch) {
  const auto put = [&](Duration slot, int64_t number, const slo::Block& block) {
    batch.counts.push_back({sli_.definition, slot, number, std::string(block.bytes().begin(), block.bytes().end())});
  };
  if (whole) {
    history_.track_changes();
    history_.visit_blocks(put);
  } else {
    history_.take_changed(put);
  }
  bool forgets = whole;
  for (const Duration slot : {slo::kFineSlot, slo::kCoarseSlot}) {
    const int64_t first = history_.first_block(slot);
    const bool moved = std::exchange(forgotten_[slot], first) != first;
    // The whole replaces all: what could not be read, and what lies in the future since the clock was set back, must
    // not come back.
    if (whole || moved) batch.forgotten.push_back({sli_.definition, slot, whole ? INT64_MAX : first});
    forgets = forgets || moved;
  }
  // What lies before the period is kept no longer: a longer one, some day, has not observed it.
  const Instant since = std::max(history_.history_start(), history_.window_start(history_.period()));
  if (forgets) batch.slis.push_back({sli_.definition, since, history_.now(), history_.longest(slo::kFineSlot)});
}

bool SloBook::restore(const store::KeptSli& kept, std::span<const slo::StoredBlock> fine,
                      std::span<const slo::StoredBlock> coarse, Instant at) {
  slo::History made(std::min(kept.since, at), plan_.window, windows_);
  const bool was_shorter = kept.fine > Duration::zero() && kept.fine < made.longest(slo::kFineSlot);
  const Instant fine_since = was_shorter ? slo::block_start(kept.used - kept.fine, slo::kFineSlot) : Instant::min();
  if (!made.restore(fine, coarse, at, fine_since)) return false;
  history_ = std::move(made);
  if (sli_.keeps_counts) history_.track_changes();
  changed_ = true;
  return true;
}

void SloBook::restore(const store::KeptAlert& alert) {
  for (size_t i = 0; i < alerts_.size(); ++i) {
    if (alert_name(i) == alert.tier) alerts_[i] = alert.state;
  }
}

WindowStatus SloBook::window_status(Duration window) const {
  const slo::Counts& counts = history_.sum(window);
  WindowStatus status;
  status.window = window;
  status.good = counts.good;
  status.bad = counts.bad;
  status.unjudged = unjudged_of(counts);
  status.good_share = counts.good_share();
  status.good_share_with_excluded = counts.with_excluded().good_share();
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
    const bool shown =
        window == slo::coverage_window(terms_) || std::any_of(policy_.tiers.begin(), policy_.tiers.end(), uses);
    if (shown) status.windows.push_back(window_status(window));
  }
  const slo::Counts& whole = history_.sum(period);
  status.budget_remaining = slo::budget_remaining(whole, refill(period), terms_.objective);
  status.budget_remaining_observed = slo::budget_remaining_observed(whole, terms_.objective);
  for (size_t i = 0; i < policy_.tiers.size(); ++i) {
    const slo::Tier& tier = policy_.tiers[i];
    AlertStatus alert;
    alert.tier = slo::label(tier);
    alert.severity = slo::name(tier.severity);
    alert.factor = tier.factor.value();
    alert.long_window = tier.long_window;
    alert.short_window = tier.short_window;
    alert.fires_at = slo::outlook(tier, terms_, Duration::zero()).failures;
    alert.active = alerts_[i].active;
    if (alerts_[i].fired > 0) alert.since = alerts_[i].last_change;
    status.alerts.push_back(std::move(alert));
  }
  AlertStatus coverage;
  coverage.tier = slo::kCoverageTier;
  coverage.severity = slo::name(slo::Severity::page);
  coverage.long_window = coverage.short_window = slo::coverage_window(terms_);
  coverage.active = alerts_.back().active;
  if (alerts_.back().fired > 0) coverage.since = alerts_.back().last_change;
  status.alerts.push_back(std::move(coverage));
  return status;
}

}  // namespace slosonde::engine
