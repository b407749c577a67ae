// Runs: verdict, clean-up, closing.
#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

namespace {

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

}  // namespace

void Core::Impl::step_run(Run& run, Instant t) {
  const auto decided = [](const Stage& stage) { return stage.decided(); };
  if (!run.verdict && std::all_of(run.stages.begin(), run.stages.end(), decided)) decide_run(run);
  if (run.verdict) {
    step_finally(run, t);
    if (run.finally_done() && run.close_at <= t) return close(run);
  } else {
    // A run that only waits for sight takes nothing any more but memory.
    const auto waits = [&](const Stage& stage) {
      if (stage.decided() || stage.limit == kNever) return true;  // kNever: as long as another one waits
      return stage.limit <= t && !stage.attempt_running;
    };
    if (std::all_of(run.stages.begin(), run.stages.end(), waits)) give_back_place(run);
  }
  wake(run, next_wake(run, t));
}

void Core::Impl::decide_run(Run& run) {
  Transaction& t = transaction_of(run);
  const TransactionPlan& plan = plan_of(t);
  give_back_place(run);
  --t.undecided;
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
  if (run.counted()) count_run(run);
  if (!run.finally.empty()) ++cleaning_up_;
}

// One after the other, each with its own deadline, whatever came of the one before.
void Core::Impl::step_finally(Run& run, Instant t) {
  const TransactionPlan& plan = plan_of(transaction_of(run));
  while (!run.finally_done()) {
    const size_t i = run.finally_at;
    FinalStep& step = run.finally[i];
    if (step.running) {
      if (t < step.deadline + kJudgeGrace) return;
      step.running = false;
      step.record.error = {ErrorCode::timeout, "no result within " + format_duration(plan.finally[i].within)};
      step.record.verdict = StageVerdict::failed;
      step.record.decided = step.deadline;
      outputs_->emplace_back(CancelCheck{run.id, true, static_cast<uint32_t>(i), 0});
      ++run.finally_at;
      continue;
    }
    step.running = true;
    step.record.attempts = 1;
    step.record.started = now_;
    step.deadline = now_ + plan.finally[i].within;
    StartCheck order;
    order.run = run.id;
    order.finally = true;
    order.stage = static_cast<uint32_t>(i);
    order.due = run.due;
    order.deadline = step.deadline;
    order.marker = run.tokens.marker;
    order.traceparent = run.tokens.traceparent(static_cast<uint16_t>(run.stages.size() + i) + 1);
    order.payload = codec_.payload(marker_id(run));
    order.captures = run.captures;
    outputs_->emplace_back(std::move(order));
    return;
  }
  if (!run.finally.empty() && !std::exchange(run.cleaned_up, true)) --cleaning_up_;
}

// Late or lost is known everywhere now. The run is gone afterwards.
void Core::Impl::close(Run& run) {
  Transaction& transaction = transaction_of(run);
  for (size_t i = 0; i < run.stages.size(); ++i) {
    StageRecord& record = run.stages[i].record;
    if (record.verdict) continue;
    record.verdict = StageVerdict::lost;
    count_final(run, i);
  }
  run.closed = true;
  run.shown.reset();
  std::shared_ptr<const RunRecord> record = show(run);
  outputs_->emplace_back(RunClosed{record});
  if (options_.kept_runs > 0) {
    transaction.kept.push_front(std::move(record));
    if (transaction.kept.size() > options_.kept_runs) transaction.kept.pop_back();
  }
  auto& open = transaction.open;
  open[run.id.seq - transaction.first_open].reset();
  --transaction.open_runs;
  while (!open.empty() && !open.front()) {
    open.pop_front();
    ++transaction.first_open;
  }
}

}  // namespace slosonde::engine
