#include "probe/engine/reports.h"

#include <algorithm>
#include <utility>

#include "probe/engine/judge.h"

namespace slosonde::engine {

namespace {

bool own_fault(const checks::CheckResult& result) {
  if (result.outcome == checks::Outcome::held || result.outcome == checks::Outcome::not_yet) return false;
  return result.outcome == checks::Outcome::probe_fault || is_own_fault(result.error.code);
}

// Nobody said no: the check's own patience ran out, or the limit's.
bool ran_out_of_time(const checks::CheckResult& result) {
  return result.outcome == checks::Outcome::timed_out || result.error.code == ErrorCode::connect_timeout ||
         result.error.code == ErrorCode::resolve_timeout;
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

// Of several further copies the one that was there first: the least of its interval's upper ends.
void note_second(Stage& stage, const checks::Evidence& evidence, Instant counts_at) {
  if (stage.second_at != kNever && stage.second_hi <= evidence.seen_hi) return;
  stage.second_at = counts_at;
  stage.second_lo = evidence.seen_lo;
  stage.second_hi = evidence.seen_hi;
}

// At most so many, of at most so many bytes: checks keep to it, and one that does not cannot fill our memory.
void keep_captures(Run& run, checks::Captures& fresh) {
  for (auto& [key, value] : fresh) {
    const bool fits = run.captures.size() < checks::kMaxCaptures || run.captures.contains(key);
    if (fits && value.size() <= checks::kMaxCaptureBytes) run.captures.insert_or_assign(key, std::move(value));
  }
}

}  // namespace

Reports::Reports(const Plan& plan, RunMarkers& markers, const Starvation& starvation)
    : plan_(plan), markers_(markers), starvation_(starvation), starved_after_(starved_after(plan)) {}

bool Reports::awaited(const Run& run, bool finally, size_t index, size_t attempt) {
  if (finally) return index == run.finally_at && !run.finally_done() && run.finally[index].running;
  if (index >= run.stages.size()) return false;
  return run.stages[index].attempt_running && attempt + 1 == run.stages[index].record.attempts;
}

Instant Reports::result(Run& run, size_t i, Instant now, checks::CheckResult& result) {
  Stage& stage = run.stages[i];
  run.shown.reset();
  stage.attempt_running = false;
  stage.answered = true;
  stage.record.phases = result.phases;
  stage.record.delivery = result.delivery;
  stage.record.error = result.outcome == checks::Outcome::held ? Error{} : error_of(result);
  const auto within_attempt = [&](Instant t, Instant otherwise) {
    return t < stage.attempt_start ? otherwise : std::min(t, now);
  };
  result.received = within_attempt(result.received, now);
  result.sent = std::min(within_attempt(result.sent, stage.attempt_start), result.received);
  return plan_of(run, i).mode == StageMode::polled ? polled(run, i, now, result) : done(run, i, now, result);
}

// Whether what came over the limit, or did not come by it, may be so only because we were held up.
bool Reports::starved(const Run& run, size_t i, Instant now, const checks::CheckResult& result) const {
  const Instant limit = run.stages[i].limit;
  const bool over = result.received > limit;
  if (over && now - limit > starved_after_) return true;
  if (ran_out_of_time(result) && !over) {
    return starvation_.explains_silence(run.stages[i].attempt_start, result.received);
  }
  if (ran_out_of_time(result)) return starvation_.explains_silence(run.due, limit);
  return over && result.outcome == checks::Outcome::held && starvation_.explains_late(run.due, limit, result.received);
}

Instant Reports::done(Run& run, size_t i, Instant now, checks::CheckResult& result) const {
  Stage& stage = run.stages[i];
  stage.report_at = std::min(result.received, stage.limit);
  if (result.outcome == checks::Outcome::held && result.received <= stage.limit) {
    keep_captures(run, result.captures);
    stage.report = Report::seen;
    stage.seen_lo = result.sent;
    stage.seen_hi = result.received;
  } else if (own_fault(result)) {
    stage.report = Report::fault;
    stage.report_error = stage.record.error;
  } else if (starved(run, i, now, result)) {
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
  return stage.report_at;
}

// An answer that holds counts when this run's marker is in it; the markers of others are no business of a poll.
Instant Reports::polled(Run& run, size_t i, Instant now, checks::CheckResult& result) {
  Stage& stage = run.stages[i];
  const bool held = result.outcome == checks::Outcome::held;
  stage.last_valid = held || result.outcome == checks::Outcome::not_yet;
  stage.last_fault = own_fault(result);
  stage.failed_at = stage.last_valid ? kNever : result.received;
  if (held) {
    markers_.scan(result.evidence);
    if (markers_.names(run.id)) {
      keep_captures(run, result.captures);
      stage.report_at = std::min(result.received, stage.limit);
      if (starved(run, i, now, result)) {
        stage.report = Report::fault;
        stage.report_error = starved_error();
        return stage.report_at;
      }
      stage.report = Report::seen;
      stage.seen_lo = std::max(stage.last_unshown, run.due);
      stage.seen_hi = result.received;
      stage.corrupt = !markers_.intact(run.id, plan_of(run, i));
      return stage.report_at;
    }
    stage.record.error = {ErrorCode::no_marker, "a valid answer, but this run's marker is not in it"};
  }
  if (stage.last_valid) stage.last_unshown = result.sent;
  stage.next_start = std::max(stage.attempt_start + plan_of(run, i).poll_every, result.received);
  return stage.next_start < stage.limit ? stage.next_start : kNever;
}

void Reports::final_result(Run& run, size_t i, Instant now, checks::CheckResult& result) {
  run.shown.reset();
  FinalStep& step = run.finally[i];
  step.running = false;
  step.record.phases = result.phases;
  step.record.delivery = result.delivery;
  step.record.decided = now;
  const bool held = result.outcome == checks::Outcome::held;
  step.record.verdict = held ? StageVerdict::on_time : StageVerdict::failed;
  if (!held) step.record.error = error_of(result);
  keep_captures(run, result.captures);
  ++run.finally_at;
}

Reports::Sighted Reports::evidence(Run& run, size_t i, const checks::Evidence& evidence, Instant now) {
  Stage& stage = run.stages[i];
  if (!stage.items.add(evidence.item)) return {};  // a redelivery
  // Given up before its turn has come, for the wall clock was set: by ours nobody knows when this arrived.
  if (stage.report == Report::fault) return {};
  const bool intact = markers_.intact(run.id, plan_of(run, i));
  std::optional<Sighting> kind;
  // What is read back after a gap is decided when it is read: no count is put into a past already shown.
  const Instant counts_at = stage.waits_for_sight ? now : evidence.seen_hi;
  const bool pending = stage.report == Report::seen;
  if (plan_of(run, i).expect == Expectation::none) {
    // The earliest copy is the one to be judged.
    if (stage.decided() || (pending && stage.seen_hi <= evidence.seen_hi)) return {kNever, Sighting::unexpected};
    if (pending) kind = Sighting::unexpected;
  } else if (stage.seen() || pending) {
    kind = intact ? Sighting::duplicate : Sighting::corrupt;
    if (plan_of(run, i).expect != Expectation::exactly_one || stage.decided()) return {kNever, kind};
    note_second(stage, evidence, pending ? std::max(counts_at, stage.report_at) : counts_at);
    return {stage.second_at, kind};
  }
  stage.report = Report::seen;
  stage.seen_lo = evidence.seen_lo;
  stage.seen_hi = evidence.seen_hi;
  stage.corrupt = !intact;
  stage.seen_by_place = evidence.by_place;
  stage.seen_told = now;
  stage.report_at = counts_at;
  return {stage.report_at, kind};
}

}  // namespace slosonde::engine
