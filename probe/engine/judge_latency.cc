// Latency SLIs: whether the stage was seen by `faster_than`, and when that is known.
#include <algorithm>

#include "probe/engine/judge.h"

namespace slosonde::engine {

void Judge::step_latency(Run& run, Instant t) {
  for (size_t k = 0; k < run.latency.size(); ++k) {
    LatencyMark& mark = run.latency[k];
    if (mark == LatencyMark::counted) continue;
    const size_t index = latency_slos_[run.id.transaction][k];
    const SloPlan& slo = plan_.slos[index];
    const size_t stage = slo.stage.value_or(run.stages.size() - 1);  // none named: it is about the last one
    const Instant fast_until = run.due + *slo.faster_than;
    const bool waited = mark == LatencyMark::awaits_sight, undecided = mark != LatencyMark::open;
    const LatencyState state = latency_state(run, stage, fast_until, t, waited);
    if (state == LatencyState::open) continue;
    const size_t watch = plan_of(run, stage).watch, what = run.stages.size() + k;
    if (state == LatencyState::asks_witnesses) {
      say(AsksWitnesses{});
      if (!waited) mark = LatencyMark::asks_witnesses;
      continue;
    }
    if (state == LatencyState::awaits_sight) {
      if (!waited) say(AwaitsSight{watch, fast_until, what});
      const bool asks = sight_.place_failed(watch) && side_of_place(watch, t) == WitnessLog::Side::unknown;
      if (asks) say(AsksWitnesses{});
      mark = LatencyMark::awaits_sight;
      continue;
    }
    mark = LatencyMark::counted;
    if (waited) say(SightSettled{watch, fast_until, what});
    // Decided with the stage, or before it: when the time was over, or (having waited) when that could be proven.
    const StageRecord& record = run.stages[stage].record;
    const Instant over = undecided ? t : fast_until;
    if (state == LatencyState::bad) {
      say(LatencyDecided{index, slo::Event::bad, record.decided ? std::min(*record.decided, over) : over});
    } else if (state == LatencyState::good) {
      say(LatencyDecided{index, slo::Event::good, record.decided.value_or(t)});
    } else if (state != LatencyState::none) {
      const bool fault = state == LatencyState::probe_fault;
      say(LatencyDecided{index, fault ? slo::Event::probe_fault : slo::Event::blind, record.decided.value_or(t)});
    }
  }
}

// Good: seen by `fast_until`, with the upper end of its interval. Bad: not seen by then, and that is proven, or the
// place cannot be reached; or the stage ended badly before. While we cannot see it stays open, as the stage does.
Judge::LatencyState Judge::latency_state(const Run& run, size_t index, Instant fast_until, Instant t,
                                         bool waits) const {
  const Stage& stage = run.stages[index];
  const StageRecord& record = stage.record;
  const StagePlan& plan = plan_of(run, index);
  const bool watched = plan.mode == StageMode::watched;
  const auto proven = [&] { return !watched || sight_.covers(plan.watch, run.due, fast_until); };
  const auto by_sighting = [&] {
    if (*record.seen_hi <= fast_until) return LatencyState::good;
    if (starvation_.explains_late(run.due, fast_until, *record.seen_hi)) return LatencyState::probe_fault;
    if (!watched && late_by_our_network(run, fast_until, *record.seen_hi)) return LatencyState::probe_fault;
    return !watched || *record.seen_lo > fast_until ? LatencyState::bad : LatencyState::blind;
  };
  // It is open, or bad, for want or because of a second copy: that is no matter of speed.
  if (stage.awaits_second || (stage.decided() && record.error.code == ErrorCode::duplicated)) return by_sighting();
  if (stage.decided()) {
    switch (record.verdict.value_or(StageVerdict::lost)) {
      case StageVerdict::on_time:
      case StageVerdict::late:
      case StageVerdict::corrupt:
        return by_sighting();
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
  if (stage.asks_until != kNever || act_may_fail_by_us(run, index, fast_until, t)) return LatencyState::asks_witnesses;
  if (waits && t < sight_.told_at(plan.watch)) return LatencyState::awaits_sight;
  if (!watched && starvation_.explains_silence(run.due, fast_until)) return LatencyState::open;
  // As for the stage itself: the answer may have lain before us while we stood still.
  if (!watched && starved(fast_until)) return LatencyState::probe_fault;
  if (!watched && side_of_silence(stage, fast_until, t) != WitnessLog::Side::theirs)
    return LatencyState::asks_witnesses;
  if (proven()) return LatencyState::bad;
  const bool failed = !plan.observer && sight_.place_failed(plan.watch, fast_until);
  if (failed && side_of_place(plan.watch, t) == WitnessLog::Side::theirs) return LatencyState::bad;
  return LatencyState::awaits_sight;
}

}  // namespace slosonde::engine
