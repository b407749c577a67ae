// Done and polled stages: when attempts are made, and what it means that none has answered.
#include <algorithm>
#include <utility>

#include "probe/engine/judge.h"

namespace slosonde::engine {

namespace {

Error unanswered(Duration within) {
  return {ErrorCode::timeout, "no result within " + format_duration(within)};
}

}  // namespace

// Starts what is to be started; gives up an attempt whose deadline has passed while there is time for another.
void Judge::act(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = plan_of(run, i);
  if (stage.report != Report::none) return;  // a result is in, and counts from a later instant on
  if (stage.attempt_running) {
    if (stage.attempt_deadline >= stage.limit || t < stage.attempt_deadline + kJudgeGrace) return;
    end_attempt(run, i);
    stage.answered = true;
    stage.last_valid = stage.last_fault = false;
    stage.failed_at = stage.attempt_deadline;
    stage.record.error = unanswered(plan.poll_timeout);
    stage.next_start = std::max(stage.attempt_start + plan.poll_every, t);
  } else if (stage.next_start == kNever && stage.record.attempts == 0) {
    if (!may_start(run, i)) return;
    // It is known only now, after our own limit, that the stage before was seen: we were blind, and could not act.
    if (t > stage.limit) return blind(run, i, run.stages[i - 1].fault, t);
    if (eaten_up(run, i)) return decide_fault(run, i, starved_error(), t);
    stage.next_start = t;
  }
  if (stage.next_start <= t && now_ < stage.limit) start_attempt(run, i);
}

// When a stage let the next act begin: seen, or proven absent where none is expected.
Instant Judge::passed_at(const Run& run, size_t i) const {
  const StageRecord& record = run.stages[i].record;
  return plan_of(run, i).expect == Expectation::none ? *record.decided : *record.seen_hi;
}

// Whether most of the time the stage had, from when the one before was known to be seen, has passed while we were held
// up.
bool Judge::eaten_up(const Run& run, size_t i) const {
  if (i == 0) return false;
  const Instant could = std::max(passed_at(run, i - 1), run.stages[i - 1].seen_told);
  return starved(could) && run.stages[i].limit - now_ < (run.stages[i].limit - could) / 2;
}

// Whether the first attempt may be made; the stage may be decided instead.
bool Judge::may_start(Run& run, size_t i) {
  if (run.stages[i].limit == kNever) return false;
  if (i == 0) return true;
  const Stage& before = run.stages[i - 1];
  if (before.seen() && plan_of(run, i - 1).expect != Expectation::none) return true;
  if (!before.record.verdict) return false;                          // not yet, or bad and perhaps late
  if (*before.record.verdict == StageVerdict::on_time) return true;  // it expected none
  if (*before.record.verdict == StageVerdict::unseen) {
    blind(run, i, before.fault, *before.record.decided);
  } else {
    skip(run, i, *before.record.decided);
  }
  return false;
}

void Judge::start_attempt(Run& run, size_t i) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = plan_of(run, i);
  const bool polling = plan.mode == StageMode::polled;
  stage.attempt_running = true;
  stage.next_start = kNever;  // of a poll's next attempt: its result says
  stage.attempt_start = now_;
  stage.attempt_deadline = polling ? std::min(stage.limit, now_ + plan.poll_timeout) : stage.limit;
  if (!stage.record.started) stage.record.started = now_;
  ++stage.record.attempts;
  say(AttemptStarts{i});
}

void Judge::end_attempt(Run& run, size_t i) {
  run.stages[i].attempt_running = false;
  say(AttemptEnds{i});
}

// At the limit, undecided.
void Judge::judge_action(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = plan_of(run, i);
  if (stage.record.attempts == 0) return judge_never_started(run, i);
  if (stage.attempt_running) {
    if (t < stage.limit + kJudgeGrace) return;  // a result made in time may still come in
    end_attempt(run, i);
    stage.failed_at = stage.limit;
  }
  // A poll that was to ask once more before the limit, and could not.
  const bool kept_from_asking = stage.next_start < stage.limit && starved(stage.next_start);
  const bool held_up =
      kept_from_asking || starved(stage.limit + kJudgeGrace) || starvation_.explains_silence(run.due, stage.limit);
  const bool asks = stage.asks_until != kNever;  // and so comes back when the witnesses have said
  if (held_up && !asks) return decide_fault(run, i, starved_error(), stage.limit);
  if (plan.mode == StageMode::done || !stage.answered) {
    return judge_failure(run, i, unanswered(plan.within), stage.limit, stage.limit, t);
  }
  Error error = stage.record.error;
  if (stage.last_fault) return decide_fault(run, i, std::move(error), stage.limit);
  if (stage.last_valid) return decide(run, i, StageVerdict::lost, stage.limit);
  judge_failure(run, i, std::move(error), stage.failed_at, stage.limit, t);
}

void Judge::judge_never_started(Run& run, size_t i) {
  Stage& stage = run.stages[i];
  if (stage.next_start != kNever) {
    if (starved(stage.next_start)) return decide_fault(run, i, starved_error(), stage.limit);
    Error late{ErrorCode::timeout, "the stage before was seen when no time was left for this one"};
    return decide_failed(run, i, std::move(late), stage.limit);
  }
  const Stage& before = run.stages[i - 1];  // the first stage is always started or out of time
  // While it is open for want of sight (or is a check that is to follow such a one) nobody can say whose fault it is.
  if (!before.decided() && (before.limit <= stage.limit || before.limit == kNever)) return;
  skip(run, i, stage.limit);
}

}  // namespace slosonde::engine
