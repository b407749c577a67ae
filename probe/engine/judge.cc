// Verdicts of stages: on_time, late, lost, corrupt, skipped, unseen. (Failed and the checks behind it:
// judge_action.cc.)
//
// What a failed stage means for those after it. A *done* stage is an act: when it fails nothing that follows can be
// expected, and every later stage is skipped. A polled or watched stage only looks: when its place cannot be reached,
// later acts are skipped (they start when it is seen), but later watched stages go on, for the pipeline may well be
// whole: an SLO on `alert` must not burn because the topic of `incident` could not be read.
#include "probe/engine/judge.h"

#include <algorithm>
#include <utility>

namespace slosonde::engine {

namespace {

std::string after_due(Duration latency) {
  return format_duration(std::chrono::floor<std::chrono::milliseconds>(latency)) + " after the run was due";
}

}  // namespace

Judge::Judge(const Plan& plan, const Sight& sight, const Starvation& starvation, const WitnessLog& witnesses)
    : plan_(plan),
      sight_(sight),
      starvation_(starvation),
      witnesses_(witnesses),
      starved_after_(engine::starved_after(plan)),
      latency_slos_(plan.transactions.size()) {
  for (size_t i = 0; i < plan.slos.size(); ++i) {
    if (plan.slos[i].faster_than) latency_slos_[plan.slos[i].transaction].push_back(i);
  }
}

Instant Judge::step(Run& run, Instant t, Instant now, Facts& facts) {
  now_ = now;
  facts_ = &facts;
  run.shown.reset();
  for (size_t i = 0; i < run.stages.size(); ++i) step_stage(run, i, t);
  step_latency(run, t);
  const bool over = step_run(run, t);
  facts_ = nullptr;
  return over ? kNever : next_wake(run, t);
}

void Judge::step_stage(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = plan_of(run, i);
  if (plan.from && stage.limit == kNever) {
    const Stage& from = run.stages[*plan.from];
    if (from.record.verdict == StageVerdict::on_time || from.awaits_second) {
      stage.limit = *from.record.seen_hi + plan.within;
    }
  }
  if (stage.report != Report::none && stage.report_at <= t) take_report(run, i, t);
  if (stage.second_at <= t) take_second(run, i, t);
  if (!stage.decided() && plan.from && stage.limit == kNever) follow_from(run, i);
  if (!stage.decided() && plan.mode != StageMode::watched) act(run, i, t);
  if (stage.decided() || stage.limit > t || stage.report == Report::failed) return;
  if (plan.mode == StageMode::watched) {
    judge_watched(run, i, t);
  } else {
    judge_action(run, i, t);
  }
}

// A stage whose limit counts from another that ended badly has no limit to be judged by.
void Judge::follow_from(Run& run, size_t i) {
  const Stage& from = run.stages[*plan_of(run, i).from];
  if (!from.decided() || from.record.verdict == StageVerdict::on_time) return;
  if (from.record.verdict == StageVerdict::unseen) return blind(run, i, from.fault, *from.record.decided);
  skip(run, i, *from.record.decided);
}

void Judge::take_report(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  const Instant reported = stage.report_at;
  const Report report = std::exchange(stage.report, Report::none);
  stage.report_at = kNever;
  if (report == Report::seen) return on_seen(run, i, t);
  if (stage.decided()) return;
  if (report == Report::fault) return decide_fault(run, i, std::move(stage.report_error), t);
  judge_failure(run, i, stage.report_error, reported, t, t);
  if (stage.decided()) return;
  stage.report = report;  // and stays so until it is known whose it is
  stage.report_at = reported;
}

void Judge::note_sighting(Run& run, size_t i) {
  const Stage& stage = run.stages[i];
  StageRecord& record = run.stages[i].record;
  record.seen_lo = stage.seen_lo;
  record.seen_hi = stage.seen_hi;
  record.latency = std::max(stage.seen_hi - run.due, Duration::zero());
}

void Judge::on_seen(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  StageRecord& record = stage.record;
  if (plan_of(run, i).expect == Expectation::none) return on_unexpected(run, i, t);
  note_sighting(run, i);
  const Sighting in_time = stage.seen_hi <= stage.limit ? Sighting::first : Sighting::late;
  if (record.verdict) {  // decided without it: noted, no more
    return tell_sighting(run, i, stage.corrupt ? Sighting::corrupt : in_time);
  }
  if (record.bad) {  // at its limit it was not there: now we know that it was late
    record.verdict = StageVerdict::late;
    tell_sighting(run, i, stage.corrupt ? Sighting::corrupt : Sighting::late);
    say(StageFinal{i});
  } else {
    judge_sighting(run, i, t);
  }
  if (record.verdict == StageVerdict::unseen) return;
  record.error = {};
  tell_order(run, i);
}

// A whole interval within the limit is on time, one wholly beyond it is late. (What had been covered before it was
// handed over is no part of it.) One across the limit may be either: nobody can say.
void Judge::judge_sighting(Run& run, size_t i, Instant at) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = plan_of(run, i);
  StageVerdict verdict = StageVerdict::unseen;
  if (stage.corrupt) {
    verdict = StageVerdict::corrupt;
  } else if (stage.seen_hi <= stage.limit) {
    verdict = StageVerdict::on_time;
  } else if (plan.mode == StageMode::watched && !stage.seen_by_place &&
             starvation_.explains_late(run.due, stage.limit, stage.seen_hi)) {
    stage.fault = true;  // it may have lain before us by then
  } else if (plan.mode != StageMode::watched && late_by_our_network(run, stage.limit, stage.seen_hi)) {
    stage.fault = true;
  } else if (plan.mode != StageMode::watched || stage.seen_lo > stage.limit) {
    verdict = StageVerdict::late;
  }
  const Sighting kind = verdict == StageVerdict::corrupt   ? Sighting::corrupt
                        : verdict == StageVerdict::on_time ? Sighting::first
                                                           : Sighting::late;
  tell_sighting(run, i, kind);
  if (verdict == StageVerdict::on_time && plan.expect == Expectation::exactly_one) {
    stage.awaits_second = true;
  } else {
    decide(run, i, verdict, at);
  }
}

// Where nothing must appear, what appears is bad if it did so within the limit, and of no account if it did not. Of an
// interval across it nobody can say.
void Judge::on_unexpected(Run& run, size_t i, Instant at) {
  Stage& stage = run.stages[i];
  tell_sighting(run, i, Sighting::unexpected);
  if (stage.decided()) return;
  if (stage.seen_lo > stage.limit) return;
  note_sighting(run, i);
  if (stage.seen_hi <= stage.limit) {
    Error error{ErrorCode::unexpected, "seen " + after_due(*stage.record.latency) + ", where it must not appear"};
    return decide_failed(run, i, std::move(error), at);
  }
  decide(run, i, StageVerdict::unseen, at);
}

// A second copy where one is expected: the same by the same rule.
void Judge::take_second(Run& run, size_t i, Instant at) {
  Stage& stage = run.stages[i];
  stage.second_at = kNever;
  if (!stage.awaits_second) return;
  if (stage.second_hi <= stage.limit) {
    Error error{ErrorCode::duplicated, "seen a second time, " +
                                           after_due(std::max(stage.second_hi - run.due, Duration::zero())) +
                                           ", where exactly one is expected"};
    return decide_failed(run, i, std::move(error), at);
  }
  if (stage.second_lo <= stage.limit) decide(run, i, StageVerdict::unseen, at);
}

// At its limit or later, and undecided: absence (or that of a second copy) is proven, or whose fault is silence? At the
// limit all that is known by now counts; what is learnt while the stage waits counts from the instant when it was.
void Judge::judge_watched(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = plan_of(run, i);
  const size_t watch = plan.watch;
  const bool waits = stage.waits_for_sight || stage.asks_until != kNever;
  if (act_may_fail_by_us(run, i, stage.limit, t)) return ask_witnesses(run, i, stage.limit + kWitnessPatience);
  stage.asks_until = kNever;
  if (!waits || t >= sight_.told_at(watch)) {
    const Instant at = waits ? t : stage.limit;
    if (sight_.covers(watch, run.due, stage.limit)) {
      const bool as_expected = stage.awaits_second || plan.expect == Expectation::none;
      return as_expected ? decide(run, i, StageVerdict::on_time, at) : decide_bad_for_now(run, i, at);
    }
    if (!plan.observer && sight_.place_failed(watch, stage.limit)) {
      const WitnessLog::Side side = side_of_place(watch, t);
      if (side == WitnessLog::Side::theirs) return decide_failed(run, i, sight_.status(watch).error, at);
      if (side == WitnessLog::Side::unknown) ask_witnesses(run, i, sight_.failed_since(watch) + kWitnessPatience);
    }
  }
  if (t >= stage.limit + plan_.settle) return decide(run, i, StageVerdict::unseen, t);
  if (!std::exchange(stage.waits_for_sight, true)) say(AwaitsSight{watch, stage.limit, i});
}

void Judge::stop_waiting(Run& run, size_t i) {
  Stage& stage = run.stages[i];
  if (std::exchange(stage.waits_for_sight, false)) say(SightSettled{plan_of(run, i).watch, stage.limit, i});
}

void Judge::decide(Run& run, size_t i, StageVerdict verdict, Instant at) {
  Stage& stage = run.stages[i];
  stop_waiting(run, i);
  if (stage.attempt_running) end_attempt(run, i);
  stage.awaits_second = false;
  stage.second_at = kNever;
  stage.asks_until = kNever;
  StageRecord& record = stage.record;
  record.verdict = verdict;
  record.bad = verdict == StageVerdict::late || verdict == StageVerdict::lost || verdict == StageVerdict::corrupt ||
               verdict == StageVerdict::failed;
  record.decided = at;
  slo::Event event = slo::Event::bad;  // skipped, too
  if (verdict == StageVerdict::on_time) event = slo::Event::good;
  if (verdict == StageVerdict::unseen) event = stage.fault ? slo::Event::probe_fault : slo::Event::blind;
  say(StageDecided{i, event, at});
  say(StageFinal{i});
}

void Judge::decide_bad_for_now(Run& run, size_t i, Instant at) {
  Stage& stage = run.stages[i];
  stop_waiting(run, i);
  stage.asks_until = kNever;
  stage.record.bad = true;
  stage.record.decided = at;
  say(StageDecided{i, slo::Event::bad, at});
}

void Judge::decide_failed(Run& run, size_t i, Error error, Instant at) {
  run.stages[i].record.error = std::move(error);
  decide(run, i, StageVerdict::failed, at);
  if (plan_of(run, i).mode != StageMode::done) return;
  for (size_t later = i + 1; later < run.stages.size(); ++later) skip(run, later, at);
}

void Judge::decide_fault(Run& run, size_t i, Error error, Instant at) {
  run.stages[i].awaits_second = false;  // nobody looks for it any more
  run.stages[i].record.error = std::move(error);
  blind(run, i, true, at);
}

// Those already decided stay, and what was seen, or was before `at`, is still judged as seen.
void Judge::skip(Run& run, size_t i, Instant at) {
  Stage& stage = run.stages[i];
  if (stage.decided() || stage.awaits_second || (stage.report == Report::seen && stage.report_at <= at)) return;
  if (stage.report != Report::seen) stage.report = Report::none;
  decide(run, i, StageVerdict::skipped, at);
  if (plan_of(run, i).mode != StageMode::done) return;
  for (size_t later = i + 1; later < run.stages.size(); ++later) skip(run, later, at);
}

// Nobody can say, by a fault of ours or for want of sight; nor of what would have followed from an act.
void Judge::blind(Run& run, size_t i, bool fault, Instant at) {
  Stage& stage = run.stages[i];
  if (stage.decided() || stage.awaits_second || (stage.report == Report::seen && stage.report_at <= at)) return;
  if (stage.report != Report::seen) stage.report = Report::none;
  stage.fault = fault;
  decide(run, i, StageVerdict::unseen, at);
  if (plan_of(run, i).mode != StageMode::done) return;
  for (size_t later = i + 1; later < run.stages.size(); ++later) blind(run, later, fault, at);
}

// A done stage has a result, and sights no marker.
void Judge::tell_sighting(const Run& run, size_t i, Sighting kind) {
  if (plan_of(run, i).mode != StageMode::done) say(Sighted{i, kind});
}

// Hops, and who came out of order. A stage is reordered when an earlier one was provably sighted after it: their
// intervals do not overlap. (A server that answers only after it has passed the log on is in order.)
void Judge::tell_order(Run& run, size_t i) {
  tell_hop(run, i);
  if (i + 1 < run.stages.size()) tell_hop(run, i + 1);
  const auto reordered = [&](size_t earlier, size_t later) {
    const Stage& a = run.stages[earlier];
    Stage& b = run.stages[later];
    if (!a.counts_as_seen() || !b.counts_as_seen() || *b.record.seen_hi >= *a.record.seen_lo) return;
    if (!std::exchange(b.reordered_counted, true)) tell_sighting(run, later, Sighting::reordered);
  };
  for (size_t earlier = 0; earlier < i; ++earlier) reordered(earlier, i);
  for (size_t later = i + 1; later < run.stages.size(); ++later) reordered(i, later);
}

void Judge::tell_hop(Run& run, size_t i) {
  Stage& stage = run.stages[i];
  if (!stage.counts_as_seen() || (i > 0 && !run.stages[i - 1].counts_as_seen())) return;
  if (std::exchange(stage.hop_counted, true)) return;
  const Instant before = i > 0 ? *run.stages[i - 1].record.seen_hi : run.due;
  stage.record.hop = std::max(*stage.record.seen_hi - before, Duration::zero());
  say(Hopped{i});
}

// The next instant after `t` at which the run has something to be done or judged.
Instant Judge::next_wake(const Run& run, Instant t) const {
  Instant next = kNever;
  const auto consider = [&](Instant when) {
    if (when > t) next = std::min(next, when);
  };
  for (size_t i = 0; i < run.stages.size(); ++i) {
    const Stage& stage = run.stages[i];
    const StagePlan& plan = plan_of(run, i);
    if (stage.report != Report::none) consider(stage.report_at);
    if (stage.second_at != kNever) consider(stage.second_at);
    if (stage.decided()) continue;
    if (stage.attempt_running) consider(stage.attempt_deadline + kJudgeGrace);
    if (!stage.attempt_running && stage.next_start < stage.limit) consider(stage.next_start);
    if (stage.limit == kNever) continue;
    consider(stage.waits_for_sight ? stage.limit + plan_.settle : stage.limit);
    if (stage.waits_for_sight) consider(sight_.told_at(plan.watch));  // while we stood still
    if (stage.waits_for_sight) consider(witnesses_.recovered_at());
    if (stage.asks_until != kNever) consider(stage.asks_until);
    if (plan.mode != StageMode::watched) consider(stage.limit + kJudgeGrace);
  }
  const std::vector<size_t>& slos = latency_slos_[run.id.transaction];
  for (size_t k = 0; k < run.latency.size(); ++k) {
    if (run.latency[k] == LatencyMark::counted) continue;
    const SloPlan& slo = plan_.slos[slos[k]];
    const Instant fast_until = run.due + *slo.faster_than;
    consider(fast_until);
    if (run.latency[k] == LatencyMark::awaits_sight) {
      consider(sight_.told_at(plan_of(run, slo.stage.value_or(run.stages.size() - 1)).watch));
      consider(witnesses_.recovered_at());
    }
    if (run.latency[k] == LatencyMark::asks_witnesses) consider(fast_until + kWitnessPatience);
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
