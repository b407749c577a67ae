// Verdicts of stages: on_time, late, lost, corrupt, skipped, unseen. (Failed and the checks behind it:
// judge_action.cc.)
//
// What a failed stage means for those after it. A *done* stage is an act: when it fails nothing that follows can be
// expected, and every later stage is skipped. A polled or watched stage only looks: when its place cannot be reached,
// later acts are skipped (they start when it is seen), but later watched stages go on, for the pipeline may well be
// whole: an SLO on `alert` must not burn because the topic of `incident` could not be read.
#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

void Core::Impl::step(Run& run, Instant t) {
  run.shown.reset();
  for (size_t i = 0; i < run.stages.size(); ++i) step_stage(run, i, t);
  step_latency_slos(run, t);
  step_run(run, t);
}

void Core::Impl::step_stage(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = stage_plan(run, i);
  if (plan.from && stage.limit == kNever) {
    const Stage& from = run.stages[*plan.from];
    if (from.record.verdict == StageVerdict::on_time) stage.limit = *from.record.seen_hi + plan.within;
  }
  if (stage.report != Report::none && stage.report_at <= t) take_report(run, i, t);
  if (!stage.decided() && plan.from) follow_from(run, i);
  if (!stage.decided() && plan.mode != StageMode::watched) act(run, i, t);
  if (stage.decided() || stage.limit > t) return;
  if (plan.mode == StageMode::watched) {
    judge_watched(run, i, t);
  } else {
    judge_action(run, i, t);
  }
}

// A stage whose limit counts from another that ended badly has no limit to be judged by.
void Core::Impl::follow_from(Run& run, size_t i) {
  const Stage& from = run.stages[*stage_plan(run, i).from];
  if (!from.decided() || from.record.verdict == StageVerdict::on_time) return;
  if (from.record.verdict == StageVerdict::unseen) return blind(run, i, from.fault, *from.record.decided);
  skip(run, i, *from.record.decided);
}

void Core::Impl::take_report(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  const Report report = std::exchange(stage.report, Report::none);
  stage.report_at = kNever;
  if (report == Report::seen) return on_seen(run, i, t);
  if (stage.decided()) return;
  Error error = std::move(stage.report_error);
  if (report == Report::failed) {
    decide_failed(run, i, std::move(error), t);
  } else {
    decide_fault(run, i, std::move(error), t);
  }
}

void Core::Impl::on_seen(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  StageRecord& record = stage.record;
  record.seen_lo = stage.seen_lo;
  record.seen_hi = stage.seen_hi;
  record.latency = std::max(stage.seen_hi - run.due, Duration::zero());
  const Sighting in_time = stage.seen_hi <= stage.limit ? Sighting::first : Sighting::late;
  if (record.verdict) {  // decided without it: noted, no more
    return count_sighting(run, i, stage.corrupt ? Sighting::corrupt : in_time);
  }
  if (record.bad) {  // at its limit it was not there: now we know that it was late
    record.verdict = StageVerdict::late;
    count_sighting(run, i, stage.corrupt ? Sighting::corrupt : Sighting::late);
    count_final(run, i);
  } else {
    judge_sighting(run, i, t);
  }
  if (record.verdict == StageVerdict::unseen) return;
  record.error = {};
  count_order(run, i);
}

// A whole interval within the limit is on time. One that reaches beyond it is late if it lies wholly beyond, or if all
// that arrived by the limit had been handed over before. Else it may be either: nobody can say.
void Core::Impl::judge_sighting(Run& run, size_t i, Instant at) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = stage_plan(run, i);
  StageVerdict verdict = StageVerdict::unseen;
  if (stage.corrupt) {
    verdict = StageVerdict::corrupt;
  } else if (stage.seen_hi <= stage.limit) {
    verdict = StageVerdict::on_time;
  } else if (plan.mode != StageMode::watched || stage.seen_lo > stage.limit ||
             watches_[plan.watch].coverage.covers(run.due, stage.limit)) {
    verdict = StageVerdict::late;
  }
  const Sighting kind = verdict == StageVerdict::corrupt   ? Sighting::corrupt
                        : verdict == StageVerdict::on_time ? Sighting::first
                                                           : Sighting::late;
  count_sighting(run, i, kind);
  decide(run, i, verdict, at);
}

// At its limit or later, and unseen: whose fault is silence? At the limit all that is known by now counts; what is
// learnt while the stage waits counts from the instant when it was.
void Core::Impl::judge_watched(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  WatchTracking& watch = watch_of(run, i);
  const bool waits = stage.waits_for_sight;
  if (!waits || t >= watch.told_at) {
    const Instant at = waits ? t : stage.limit;
    if (watch.coverage.covers(run.due, stage.limit)) return decide_bad_for_now(run, i, at);
    if (watch.status.state == WatchState::out_of_sight && !is_own_fault(watch.status.error.code)) {
      return decide_failed(run, i, watch.status.error, at);
    }
  }
  if (t >= stage.limit + plan_->settle) return decide(run, i, StageVerdict::unseen, t);
  if (!std::exchange(stage.waits_for_sight, true)) watch.waiting.insert({run.due, stage.limit, run.id, i});
}

void Core::Impl::decide(Run& run, size_t i, StageVerdict verdict, Instant at) {
  Stage& stage = run.stages[i];
  if (std::exchange(stage.waits_for_sight, false)) {
    watch_of(run, i).waiting.erase({run.due, stage.limit, run.id, i});
  }
  if (stage.attempt_running) cancel_attempt(run, i);
  StageRecord& record = stage.record;
  record.verdict = verdict;
  record.bad = verdict == StageVerdict::late || verdict == StageVerdict::lost || verdict == StageVerdict::corrupt ||
               verdict == StageVerdict::failed;
  record.decided = at;
  count_decided(run, i);
  count_final(run, i);
}

void Core::Impl::decide_bad_for_now(Run& run, size_t i, Instant at) {
  Stage& stage = run.stages[i];
  if (std::exchange(stage.waits_for_sight, false)) {
    watch_of(run, i).waiting.erase({run.due, stage.limit, run.id, i});
  }
  stage.record.bad = true;
  stage.record.decided = at;
  count_decided(run, i);
}

void Core::Impl::decide_failed(Run& run, size_t i, Error error, Instant at) {
  run.stages[i].record.error = std::move(error);
  decide(run, i, StageVerdict::failed, at);
  if (stage_plan(run, i).mode != StageMode::done) return;
  for (size_t later = i + 1; later < run.stages.size(); ++later) skip(run, later, at);
}

void Core::Impl::decide_fault(Run& run, size_t i, Error error, Instant at) {
  run.stages[i].record.error = std::move(error);
  blind(run, i, true, at);
}

// Those already decided stay, and what was seen before `at` is still judged as seen.
void Core::Impl::skip(Run& run, size_t i, Instant at) {
  Stage& stage = run.stages[i];
  if (stage.decided() || (stage.report == Report::seen && stage.report_at <= at)) return;
  if (stage.report != Report::seen) stage.report = Report::none;
  decide(run, i, StageVerdict::skipped, at);
  if (stage_plan(run, i).mode != StageMode::done) return;
  for (size_t later = i + 1; later < run.stages.size(); ++later) skip(run, later, at);
}

// Nobody can say, by a fault of ours or for want of sight; nor of what would have followed from an act.
void Core::Impl::blind(Run& run, size_t i, bool fault, Instant at) {
  Stage& stage = run.stages[i];
  if (stage.decided() || (stage.report == Report::seen && stage.report_at <= at)) return;
  if (stage.report != Report::seen) stage.report = Report::none;
  stage.fault = fault;
  decide(run, i, StageVerdict::unseen, at);
  if (stage_plan(run, i).mode != StageMode::done) return;
  for (size_t later = i + 1; later < run.stages.size(); ++later) blind(run, later, fault, at);
}

// The next instant after `t` at which the run has something to be done or judged.
Instant Core::Impl::next_wake(const Run& run, Instant t) const {
  Instant next = kNever;
  const auto consider = [&](Instant when) {
    if (when > t) next = std::min(next, when);
  };
  for (size_t i = 0; i < run.stages.size(); ++i) {
    const Stage& stage = run.stages[i];
    const StagePlan& plan = stage_plan(run, i);
    if (stage.report != Report::none) consider(stage.report_at);
    if (stage.decided()) continue;
    if (stage.attempt_running) consider(stage.attempt_deadline + kJudgeGrace);
    if (!stage.attempt_running && stage.next_start < stage.limit) consider(stage.next_start);
    if (stage.limit == kNever) continue;
    consider(stage.waits_for_sight ? stage.limit + plan_->settle : stage.limit);
    if (plan.mode != StageMode::watched) consider(stage.limit + kJudgeGrace);
  }
  const Transaction& transaction = transactions_[run.id.transaction];
  for (size_t k = 0; k < run.latency.size(); ++k) {
    if (run.latency[k] == LatencyMark::counted) continue;
    consider(run.due + *slos_[transaction.latency_slos[k]].plan().faster_than);
  }
  if (run.verdict) {
    if (run.finally_done()) {
      consider(run.close_at);
    } else {
      consider(run.finally[run.finally_at].deadline + kJudgeGrace);
    }
  }
  return next;
}

}  // namespace slosonde::engine
