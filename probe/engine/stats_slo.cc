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
  if (!run.counted()) return;
  const auto& list = transactions_[run.id.transaction].latency_slos;
  for (size_t k = 0; k < list.size(); ++k) {
    const uint64_t bit = uint64_t{1} << k;
    if (run.latency_done & bit) continue;
    const SloPlan& slo = slos_[list[k]].plan();
    const size_t stage = latency_stage(run, slo);
    const Instant fast_until = run.due + *slo.faster_than;
    const LatencyState state = latency_state(run, stage, fast_until, t, run.latency_waits & bit);
    if (state == LatencyState::open) continue;
    const size_t what = run.stages.size() + k;
    if (state == LatencyState::awaits_sight) {
      if (!(run.latency_waits & bit)) watch_of(run, stage).waiting.insert({run.due, fast_until, run.id, what});
      run.latency_waits |= bit;
      continue;
    }
    run.latency_done |= bit;
    const bool waited = run.latency_waits & bit;
    if (waited) watch_of(run, stage).waiting.erase({run.due, fast_until, run.id, what});
    // Decided with the stage, or before it: when the time was over, or (having waited) when that could be proven.
    const StageRecord& record = run.stages[stage].record;
    const Instant over = waited ? t : fast_until;
    const Instant at = record.decided ? std::min(*record.decided, std::max(over, run.due)) : over;
    switch (state) {
      case LatencyState::good:
        count_slo(list[k], *record.decided, slo::Event::good);
        break;
      case LatencyState::bad:
        count_slo(list[k], at, slo::Event::bad);
        break;
      case LatencyState::blind:
        count_slo(list[k], *record.decided, slo::Event::blind);
        break;
      case LatencyState::probe_fault:
        count_slo(list[k], *record.decided, slo::Event::probe_fault);
        break;
      default:
        break;  // skipped: no event
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

void Core::Impl::forget_latency_sight(const Run& run) {
  const auto& list = transactions_[run.id.transaction].latency_slos;
  for (size_t k = 0; k < list.size() && run.counted(); ++k) {
    const SloPlan& slo = slos_[list[k]].plan();
    const size_t stage = latency_stage(run, slo);
    if (!(run.latency_waits >> k & 1) || run.latency_done >> k & 1) continue;
    watch_of(run, stage).waiting.erase({run.due, run.due + *slo.faster_than, run.id, run.stages.size() + k});
  }
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
