// Done and polled stages: their attempts, and what their results mean.
#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

namespace {

bool own_fault(const checks::CheckResult& result) {
  if (result.outcome == checks::Outcome::held || result.outcome == checks::Outcome::not_yet) return false;
  return result.outcome == checks::Outcome::probe_fault || is_own_fault(result.error.code);
}

// A check says why; should one not, its outcome does.
Error error_of(checks::CheckResult& result) {
  if (result.error) return std::move(result.error);
  switch (result.outcome) {
    case checks::Outcome::refused:
      return {ErrorCode::rejected, "the target refused"};
    case checks::Outcome::unreachable:
      return {ErrorCode::connect_failed, "the target could not be reached"};
    case checks::Outcome::timed_out:
      return {ErrorCode::timeout, "no complete answer in time"};
    case checks::Outcome::probe_fault:
      return {ErrorCode::internal, "the probe could not act"};
    default:
      return {ErrorCode::malformed, "not the answer that was expected"};
  }
}

Error unanswered(Duration within) {
  return {ErrorCode::timeout, "no result within " + format_duration(within)};
}

Error starved_error() {
  return {ErrorCode::internal, "the probe itself was held up and could not act in time"};
}

}  // namespace

// Starts what is to be started; gives up an attempt whose deadline has passed while there is time for another.
void Core::Impl::act(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = stage_plan(run, i);
  if (stage.report != Report::none) return;  // a result is in, and counts from a later instant on
  if (stage.attempt_running) {
    if (stage.attempt_deadline >= stage.limit || t < stage.attempt_deadline + kJudgeGrace) return;
    cancel_attempt(run, i);
    stage.answered = true;
    stage.last_valid = stage.last_fault = false;
    stage.record.error = unanswered(plan.poll_timeout);
    stage.next_start = std::max(stage.attempt_start + plan.poll_every, t);
  } else if (stage.next_start == kNever && stage.record.attempts == 0) {
    if (!may_start(run, i)) return;
    // It is known only now, after our own limit, that the stage before was seen: we were blind, and could not act.
    if (t > stage.limit) return blind(run, i, run.stages[i - 1].fault, t);
    stage.next_start = t;
  }
  if (stage.next_start <= t && now_ < stage.limit) start_attempt(run, i);
}

// Whether the first attempt may be made; the stage may be decided instead.
bool Core::Impl::may_start(Run& run, size_t i) {
  if (run.stages[i].limit == kNever) return false;
  if (i == 0) return true;
  const Stage& before = run.stages[i - 1];
  if (before.seen()) return true;
  if (!before.record.verdict) return false;  // not yet, or bad and perhaps late
  if (*before.record.verdict == StageVerdict::unseen) {
    blind(run, i, before.fault, *before.record.decided);
  } else {
    skip(run, i, *before.record.decided);
  }
  return false;
}

void Core::Impl::start_attempt(Run& run, size_t i) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = stage_plan(run, i);
  const bool polling = plan.mode == StageMode::polled;
  stage.attempt_running = true;
  stage.next_start = kNever;  // of a poll's next attempt: its result says
  stage.attempt_start = now_;
  stage.attempt_deadline = polling ? std::min(stage.limit, now_ + plan.poll_timeout) : stage.limit;
  if (!stage.record.started) stage.record.started = now_;
  StartCheck order;
  order.run = run.id;
  order.stage = static_cast<uint32_t>(i);
  order.attempt = stage.record.attempts++;
  order.polling = polling;
  order.due = run.due;
  order.deadline = stage.attempt_deadline;
  order.marker = run.tokens.marker;
  order.traceparent = run.tokens.traceparent(static_cast<uint16_t>(i) + 1);
  order.payload = codec_.payload(marker_id(run));
  order.captures = run.captures;
  outputs_->emplace_back(std::move(order));
}

void Core::Impl::cancel_attempt(Run& run, size_t i) {
  Stage& stage = run.stages[i];
  stage.attempt_running = false;
  outputs_->emplace_back(CancelCheck{run.id, false, static_cast<uint32_t>(i), stage.record.attempts - 1});
}

// At the limit, undecided.
void Core::Impl::judge_action(Run& run, size_t i, Instant t) {
  Stage& stage = run.stages[i];
  const StagePlan& plan = stage_plan(run, i);
  if (stage.record.attempts == 0) return judge_never_started(run, i);
  if (stage.attempt_running) {
    if (t < stage.limit + kJudgeGrace) return;  // a result made in time may still come in
    cancel_attempt(run, i);
  }
  if (starved(stage.limit + kJudgeGrace)) return decide_fault(run, i, starved_error(), stage.limit);
  if (plan.mode == StageMode::done) return decide_failed(run, i, unanswered(plan.within), stage.limit);
  if (!stage.answered) return decide_failed(run, i, unanswered(plan.within), stage.limit);
  Error error = stage.record.error;
  if (stage.last_fault) return decide_fault(run, i, std::move(error), stage.limit);
  if (stage.last_valid) return decide(run, i, StageVerdict::lost, stage.limit);
  decide_failed(run, i, std::move(error), stage.limit);
}

void Core::Impl::judge_never_started(Run& run, size_t i) {
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

void Core::Impl::take_result(Run& run, size_t i, Instant now, checks::CheckResult& result) {
  Stage& stage = run.stages[i];
  run.shown.reset();
  stage.attempt_running = false;
  stage.answered = true;
  stage.record.phases = result.phases;
  stage.record.error = result.outcome == checks::Outcome::held ? Error{} : error_of(result);
  if (run.counted()) count_attempt(run, i, result);
  const auto within_attempt = [&](Instant t, Instant otherwise) {
    return t < stage.attempt_start ? otherwise : std::min(t, now);
  };
  result.received = within_attempt(result.received, now);
  result.sent = std::min(within_attempt(result.sent, stage.attempt_start), result.received);
  if (stage_plan(run, i).mode == StageMode::polled) return take_poll(run, i, now, result);

  stage.report_at = std::min(result.received, stage.limit);
  if (result.outcome == checks::Outcome::held && result.received <= stage.limit) {
    keep_captures(run, result.captures);
    stage.report = Report::seen;
    stage.seen_lo = result.sent;
    stage.seen_hi = result.received;
  } else if (own_fault(result)) {
    stage.report = Report::fault;
    stage.report_error = stage.record.error;
  } else if (result.received > stage.limit && now - stage.limit > starved_after_) {
    stage.report = Report::fault;
    stage.report_error = starved_error();
  } else {
    stage.report = Report::failed;
    if (result.outcome == checks::Outcome::held) {
      const Duration over = result.received - stage.limit;
      stage.report_error = {ErrorCode::timeout, "answered " + format_duration(over) + " after the limit"};
    } else {
      stage.report_error = stage.record.error;
    }
  }
  wake(run, stage.report_at);
}

// An answer that holds counts when this run's marker is in it; the markers of others are no business of a poll.
void Core::Impl::take_poll(Run& run, size_t i, Instant now, checks::CheckResult& result) {
  Stage& stage = run.stages[i];
  const bool held = result.outcome == checks::Outcome::held;
  stage.last_valid = held || result.outcome == checks::Outcome::not_yet;
  stage.last_fault = own_fault(result);
  if (held) {
    codec_.scan(result.evidence, findings_);
    const ledger::MarkerId id = marker_id(run);
    const auto ours = [&](const ledger::MarkerHit& hit) { return hit.genuine && hit.id == id; };
    if (std::any_of(findings_.markers.begin(), findings_.markers.end(), ours)) {
      keep_captures(run, result.captures);
      if (result.received > stage.limit && now - stage.limit > starved_after_) {
        stage.report = Report::fault;
        stage.report_error = starved_error();
        stage.report_at = stage.limit;
        return wake(run, stage.limit);
      }
      stage.report = Report::seen;
      stage.seen_lo = std::max(stage.last_unshown, run.due);
      stage.seen_hi = result.received;
      stage.corrupt = !payload_intact(run, stage_plan(run, i));
      stage.report_at = std::min(result.received, stage.limit);
      return wake(run, stage.report_at);
    }
    stage.record.error = {ErrorCode::no_marker, "a valid answer, but this run's marker is not in it"};
  }
  if (stage.last_valid) stage.last_unshown = result.sent;
  stage.next_start = std::max(stage.attempt_start + stage_plan(run, i).poll_every, result.received);
  if (stage.next_start < stage.limit) wake(run, stage.next_start);
}

void Core::Impl::take_final_result(Run& run, size_t i, Instant now, checks::CheckResult& result) {
  run.shown.reset();
  FinalStep& step = run.finally[i];
  step.running = false;
  step.record.phases = result.phases;
  step.record.decided = now;
  const bool held = result.outcome == checks::Outcome::held;
  step.record.verdict = held ? StageVerdict::on_time : StageVerdict::failed;
  if (!held) step.record.error = error_of(result);
  keep_captures(run, result.captures);
  ++run.finally_at;
  wake(run, now);
}

// At most so many, of at most so many bytes: checks keep to it, and one that does not cannot fill our memory.
void Core::Impl::keep_captures(Run& run, checks::Captures& fresh) {
  for (auto& [key, value] : fresh) {
    const bool fits = run.captures.size() < checks::kMaxCaptures || run.captures.contains(key);
    if (fits && value.size() <= checks::kMaxCaptureBytes) run.captures.insert_or_assign(key, std::move(value));
  }
}

}  // namespace slosonde::engine
