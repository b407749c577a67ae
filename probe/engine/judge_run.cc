// Runs: verdict, clean-up, closing.
#include <algorithm>
#include <utility>

#include "probe/engine/judge.h"

namespace slosonde::engine {

// Any stage that is bad makes the run bad: what a fault of our own, or blindness, has prevented is unseen, never bad,
// so a bad stage is bad by itself. Then our own fault comes before mere blindness, for it explains it.
RunVerdict verdict_of(const Run& run) {
  bool fault = false, blind = false;
  for (const Stage& stage : run.stages) {
    if (stage.record.bad) return RunVerdict::bad;
    fault = fault || stage.fault;
    blind = blind || stage.record.verdict == StageVerdict::unseen;
  }
  return fault ? RunVerdict::probe_fault : blind ? RunVerdict::blind : RunVerdict::good;
}

// Whether the run is over.
bool Judge::step_run(Run& run, Instant t) {
  const auto decided = [](const Stage& stage) { return stage.decided(); };
  if (!run.verdict && std::all_of(run.stages.begin(), run.stages.end(), decided)) decide_run(run);
  if (run.verdict) {
    step_finally(run, t);
    if (run.finally_done() && run.close_at <= t) {
      close(run);
      return true;
    }
  } else {
    // A run that only waits for sight takes nothing any more but memory.
    const auto waits = [&](const Stage& stage) {
      if (stage.decided() || stage.limit == kNever) return true;  // kNever: as long as another one waits
      return stage.limit <= t && !stage.attempt_running;
    };
    if (std::all_of(run.stages.begin(), run.stages.end(), waits)) free_place(run);
  }
  return false;
}

void Judge::free_place(Run& run) {
  if (std::exchange(run.holds_place, false)) say(PlaceFree{});
}

void Judge::decide_run(Run& run) {
  const TransactionPlan& plan = plan_of(run);
  free_place(run);
  run.verdict = verdict_of(run);
  run.decided = run.due;
  bool watched = false;
  Instant last_limit = run.due;
  for (size_t i = 0; i < run.stages.size(); ++i) {
    const Stage& stage = run.stages[i];
    run.decided = std::max(run.decided, *stage.record.decided);
    watched = watched || plan.stages[i].mode == StageMode::watched;
    if (stage.limit != kNever) last_limit = std::max(last_limit, stage.limit);
  }
  run.close_at = watched ? std::max(run.decided, last_limit + plan.linger) : run.decided;
  say(RunDecided{});
}

// One after the other, each with its own deadline, whatever came of the one before.
void Judge::step_finally(Run& run, Instant t) {
  const TransactionPlan& plan = plan_of(run);
  while (!run.finally_done()) {
    const size_t i = run.finally_at;
    FinalStep& step = run.finally[i];
    if (step.running) {
      if (t < step.deadline + kJudgeGrace) return;
      step.running = false;
      step.record.error = {ErrorCode::timeout, "no result within " + format_duration(plan.finally[i].within)};
      step.record.verdict = StageVerdict::failed;
      step.record.decided = step.deadline;
      say(StepEnds{i});
      ++run.finally_at;
      continue;
    }
    step.running = true;
    step.record.attempts = 1;
    step.record.started = now_;
    step.deadline = now_ + plan.finally[i].within;
    say(StepStarts{i});
    return;
  }
  if (!run.finally.empty() && !std::exchange(run.cleaned_up, true)) say(CleanedUp{});
}

// Late or lost is known everywhere now.
void Judge::close(Run& run) {
  for (size_t i = 0; i < run.stages.size(); ++i) {
    StageRecord& record = run.stages[i].record;
    if (record.verdict) continue;
    record.verdict = StageVerdict::lost;
    say(StageFinal{i});
  }
  run.closed = true;
  run.shown.reset();
  say(RunOver{});
}

}  // namespace slosonde::engine
