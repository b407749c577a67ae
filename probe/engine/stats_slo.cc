// SLI events into their histories, latency SLIs, alerts.
#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

void Core::Impl::count_slo(size_t slo, Instant at, slo::Event event) {
  slos_[slo].count(at, event);
  changed_slos_.push_back(slo);
}

// Without a stage named, a latency SLI is about the last one.
size_t Core::Impl::latency_stage(const Run& run, const SloPlan& slo) {
  return slo.stage.value_or(run.stages.size() - 1);
}

void Core::Impl::step_latency_slos(Run& run, Instant t) {
  for (size_t k = 0; k < run.latency.size(); ++k) {
    LatencyMark& mark = run.latency[k];
    if (mark == LatencyMark::counted) continue;
    const size_t index = transactions_[run.id.transaction].latency_slos[k];
    const SloPlan& slo = slos_[index].plan();
    const size_t stage = latency_stage(run, slo);
    const Instant fast_until = run.due + *slo.faster_than;
    const bool waited = mark == LatencyMark::awaits_sight;
    const LatencyState state = latency_state(run, stage, fast_until, t, waited);
    if (state == LatencyState::open) continue;
    const Waiting waiting{run.due, fast_until, run.id, run.stages.size() + k};
    if (state == LatencyState::awaits_sight) {
      if (!waited) watch_of(run, stage).waiting.insert(waiting);
      mark = LatencyMark::awaits_sight;
      continue;
    }
    mark = LatencyMark::counted;
    if (waited) watch_of(run, stage).waiting.erase(waiting);
    // Decided with the stage, or before it: when the time was over, or (having waited) when that could be proven.
    const StageRecord& record = run.stages[stage].record;
    const Instant over = waited ? t : fast_until;
    if (state == LatencyState::bad) {
      count_slo(index, record.decided ? std::min(*record.decided, over) : over, slo::Event::bad);
    } else if (state == LatencyState::good) {
      count_slo(index, *record.decided, slo::Event::good);
    } else if (state != LatencyState::none) {
      const bool fault = state == LatencyState::probe_fault;
      count_slo(index, *record.decided, fault ? slo::Event::probe_fault : slo::Event::blind);
    }
  }
}

// Good: seen by `fast_until`, with the upper end of its interval. Bad: not seen by then, and that is proven, or the
// place cannot be reached; or the stage ended badly before. While we cannot see it stays open, as the stage does.
Core::Impl::LatencyState Core::Impl::latency_state(const Run& run, size_t index, Instant fast_until, Instant t,
                                                   bool waits) const {
  const Stage& stage = run.stages[index];
  const StageRecord& record = stage.record;
  const StagePlan& plan = stage_plan(run, index);
  const WatchTracking* watch = plan.mode == StageMode::watched ? &watches_[plan.watch] : nullptr;
  const auto proven = [&] { return !watch || watch->coverage.covers(run.due, fast_until); };
  if (stage.decided()) {
    switch (record.verdict.value_or(StageVerdict::lost)) {
      case StageVerdict::on_time:
      case StageVerdict::late:
      case StageVerdict::corrupt:
        if (*record.seen_hi <= fast_until) return LatencyState::good;
        return *record.seen_lo > fast_until || proven() ? LatencyState::bad : LatencyState::blind;
      case StageVerdict::skipped:
        return LatencyState::none;
      case StageVerdict::unseen:
        return stage.fault ? LatencyState::probe_fault : LatencyState::blind;
      default:
        return LatencyState::bad;
    }
  }
  if (t < fast_until) return LatencyState::open;
  if (plan.mode == StageMode::polled && stage.answered && stage.last_fault) return LatencyState::open;
  if (waits && t < watch->told_at) return LatencyState::awaits_sight;
  if (proven()) return LatencyState::bad;
  if (watch->status.state == WatchState::out_of_sight && !is_own_fault(watch->status.error.code)) {
    return LatencyState::bad;
  }
  return LatencyState::awaits_sight;
}

void Core::Impl::step_changed_alerts(Instant now) {
  for (const size_t slo : changed_slos_) {
    if (slos_[slo].changed()) step_alerts(slo, now);
  }
  changed_slos_.clear();
}

void Core::Impl::step_alerts(size_t index, Instant now) {
  SloBook& book = slos_[index];
  book.step(now, [&](const slo::Tier& tier, const slo::TierReading& reading, slo::AlertChange change) {
    const bool fired = change == slo::AlertChange::fired;
    const slo::Counts& seen = fired ? reading.long_counts : reading.short_counts;
    const Duration window = fired ? tier.long_window : tier.short_window;
    std::string text = std::string(slo::name(tier.severity)) + ' ' + slo::label(tier) + ": " +
                       std::to_string(seen.bad) + " of " + std::to_string(seen.judged()) + " bad in " +
                       format_duration(window);
    notice(fired ? Notice::Kind::alert_fired : Notice::Kind::alert_resolved, book.plan().name, std::move(text));
  });
}

}  // namespace slosonde::engine
