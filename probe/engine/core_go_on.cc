// From one plan to the next: what goes on is taken over by a new core, the rest is cut.
#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"
#include "probe/engine/run_codec.h"
#include "probe/engine/sli_definition.h"

namespace slosonde::engine {

namespace {

// By address: its index before.
std::vector<std::optional<size_t>> namesakes(const std::vector<std::string>& now,
                                             const std::vector<std::string>& before) {
  std::vector<std::optional<size_t>> was(now.size());
  for (size_t i = 0; i < now.size(); ++i) {
    const auto found = std::find(before.begin(), before.end(), now[i]);
    if (found != before.end()) was[i] = static_cast<size_t>(found - before.begin());
  }
  return was;
}

}  // namespace

Core::Impl::Impl(Impl& before, const Succession& kept, std::shared_ptr<const Plan> plan, uint64_t epoch)
    : plan_(std::move(plan)),
      options_(before.options_),
      schedule_(*plan_, queue_, before.now_, options_.schedule),
      markers_(*plan_, epoch),
      runs_(*plan_, queue_, options_.kept_runs),
      sight_(*plan_, options_.start),
      starvation_(std::move(before.starvation_)),
      witnesses_(plan_->witnesses.size()),
      reports_(*plan_, markers_, starvation_),
      judge_(*plan_, sight_, starvation_, witnesses_),
      stats_(*plan_),
      slis_(*plan_, before.now_),
      exclusions_(*plan_),
      suspensions_(*plan_),
      tell_of_alerts_(tell_of_alerts()),
      now_(before.now_),
      was_ready_(before.ready()),
      triggers_waiting_(transactions()),
      watches_(transactions()),
      wall_offset_(before.wall_offset_),
      wall_steps_(before.wall_steps_),
      notices_(std::move(before.notices_)) {
  options_.epoch = epoch;
  equip_transactions();
  witnesses_.take_over(before.witnesses_, namesakes(plan_->witnesses, before.plan_->witnesses));
  if (before.schedule_.draining()) schedule_.drain();
  if (before.keep_) keep_.emplace(*plan_, schedule_, markers_, runs_, sight_, slis_, epoch);
  exclusions_.take_over(before.exclusions_, before.now_);
  suspensions_.take_over(before.suspensions_);
  stats_.take_over(before.stats_);
  for (size_t w = 0; w < kept.watches.size(); ++w) {
    if (kept.watches[w]) sight_.take_over(*kept.watches[w], before.sight_, w);
  }
  for (auto& [slo, why] : slis_.take_over(before.slis_, now_)) {
    notice(Notice::Kind::history_anew, plan_->slos[slo].name, std::move(why));
  }
  for (uint32_t t = 0; t < transactions(); ++t) {
    const auto was = kept.namesakes[t];
    if (!was) continue;
    triggers_waiting_[t] = before.triggers_waiting_[*was];
    if (kept.transactions[*was]) {
      take_over(before, t, *was);
    } else {
      begin_anew(before, t, *was);
    }
  }
  begin();
  slis_.step_all(now_, tell_of_alerts_);
}

void Core::Impl::take_over(Impl& before, uint32_t transaction, uint32_t was) {
  stats_.take_over(transaction, before.stats_, was, true);
  schedule_.take_over(transaction, before.schedule_, was);
  backoffs_[transaction] = before.backoffs_[was];
  std::vector<ledger::MarkerId> markers;
  for (const Run* const run : before.runs_.open(was)) markers.push_back(before.markers_.id(run->id));
  const std::vector<std::string> knew = before.latencies_of(was), latencies = latencies_of(transaction);
  const std::vector<Run*> runs = runs_.take_over(transaction, before.runs_, was);
  for (size_t i = 0; i < runs.size(); ++i) {
    Run& run = *runs[i];
    markers_.adopt(run.id, markers[i]);
    if (run.counted()) {
      // An SLI that the run did not know counts nothing of it.
      std::vector<LatencyMark> marks(latencies.size(), LatencyMark::counted);
      for (size_t k = 0; k < marks.size(); ++k) {
        const auto found = std::find(knew.begin(), knew.end(), latencies[k]);
        if (found != knew.end()) marks[k] = run.latency[static_cast<size_t>(found - knew.begin())];
      }
      run.latency = std::move(marks);
    }
    wait_again(run);
  }
}

// Of the same name, and yet another: its counters go on, and its slots where they fall on the same grid.
void Core::Impl::begin_anew(Impl& before, uint32_t transaction, uint32_t was) {
  stats_.take_over(transaction, before.stats_, was, false);
  const TransactionPlan& plan = plan_->transactions[transaction];
  const TransactionPlan& plan_before = before.plan_->transactions[was];
  if (shape_of(plan) == shape_of(plan_before)) runs_.show_on(transaction, before.runs_, was);
  const auto next = before.schedule_.resume_at(was);
  if (!next || plan.every != plan_before.every) return;
  const MissedSlots missed = schedule_.resume(transaction, *next, now_, "its watches were not ready");
  if (missed.count > 0) miss(transaction, missed);
}

std::vector<std::string> Core::Impl::latencies_of(uint32_t transaction) const {
  std::vector<std::string> made;
  for (const size_t slo : judge_.latency_slos(transaction)) made.push_back(sli_definition(*plan_, plan_->slos[slo]));
  return made;
}

void Core::Impl::wait_again(const Run& run) {
  const std::vector<StagePlan>& stages = plan_->transactions[run.id.transaction].stages;
  for (size_t i = 0; i < run.stages.size(); ++i) {
    if (run.stages[i].waits_for_sight) sight_.wait(stages[i].watch, {run.due, run.stages[i].limit, run.id, i});
    if (run.stages[i].asks_until != kNever) asking_.insert(run.id);
  }
  const std::vector<size_t>& slos = judge_.latency_slos(run.id.transaction);
  for (size_t k = 0; k < run.latency.size(); ++k) {
    if (run.latency[k] == LatencyMark::asks_witnesses) asking_.insert(run.id);
    if (run.latency[k] != LatencyMark::awaits_sight) continue;
    const SloPlan& slo = plan_->slos[slos[k]];
    const size_t watch = stages[slo.stage.value_or(stages.size() - 1)].watch;
    sight_.wait(watch, {run.due, run.due + *slo.faster_than, run.id, stages.size() + k});
  }
}

void Core::Impl::cut(Instant now, const Succession& kept, Outputs& outputs) {
  now_ = std::max(now_, now);
  outputs_ = &outputs;
  for (uint32_t t = 0; t < transactions(); ++t) {
    if (kept.transactions[t]) continue;
    const uint64_t undecided = runs_.undecided(t);
    for (Run* const run : runs_.open(t)) cut(*run);
    if (undecided == 0) continue;
    notice(Notice::Kind::runs_cut, plan_->transactions[t].name,
           std::to_string(undecided) +
               (undecided == 1 ? " run in flight was stopped" : " runs in flight were stopped") +
               " and can not be judged (probe_fault): the transaction has changed");
  }
  outputs_ = nullptr;
}

void Core::Impl::cut(Run& run) {
  const RunId id = run.id;
  for (Stage& stage : run.stages) {
    const bool asks = stage.asks_until != kNever;  // nobody waits any more for what the witnesses say
    if (stage.decided() || (stage.report != Report::none && !asks)) continue;
    stage.report_fault({ErrorCode::cancelled, "the configuration was reloaded, and the transaction has changed"}, now_);
  }
  step(run, now_);
  if (runs_.find(id) == nullptr) return;
  for (; run.finally_at < run.finally.size(); ++run.finally_at) {
    FinalStep& step = run.finally[run.finally_at];
    step.record.error = {ErrorCode::cancelled, "nobody waited for the answer: the configuration was reloaded"};
    if (step.running) continue;
    step.record.attempts = 1;
    step.record.started = now_;
    step.deadline = now_ + plan_->transactions[id.transaction].finally[run.finally_at].within;
    outputs_->emplace_back(order_for(run, run.finally_at, true));
  }
  run.close_at = now_;
  step(run, now_);
}

Succession Core::go_on_with(Instant now, std::shared_ptr<const Plan> plan, uint64_t epoch, Outputs& outputs) {
  Succession kept = succession(impl_->plan(), *plan);
  impl_->cut(now, kept, outputs);
  impl_ = std::make_unique<Impl>(*impl_, kept, std::move(plan), epoch);
  return kept;
}

}  // namespace slosonde::engine
