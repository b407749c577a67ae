// What is counted of stages and transactions. Triggered runs are in no counter.
#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

namespace {

// What was wrong with the first stage that was bad.
std::string what_was_wrong(const StagePlan& plan, const StageRecord& record) {
  const std::string stage = "stage \"" + plan.name + "\" ";
  switch (record.verdict.value_or(StageVerdict::lost)) {
    case StageVerdict::failed:
      return stage + "failed (" + std::string(name(record.error.code)) + "): " + record.error.text;
    case StageVerdict::corrupt:
      return stage + "was seen with another payload than was sent";
    case StageVerdict::late:
      return stage + "was seen only after its limit of " + format_duration(plan.within);
    default:
      return stage + "was not seen within " + format_duration(plan.within);
  }
}

}  // namespace

// A done stage has a result, and sights no marker.
void Core::Impl::count_sighting(const Run& run, size_t i, Sighting kind) {
  if (run.counted() && stage_plan(run, i).mode != StageMode::done)
    ++tally(run, i).shown.sightings[static_cast<size_t>(kind)];
}

void Core::Impl::count_attempt(const Run& run, size_t i, const checks::CheckResult& result) {
  StageStats& stats = tally(run, i).shown;
  for (size_t p = 0; p < result.phases.size(); ++p) {
    if (result.phases[p]) stats.phases[p].observe(seconds(*result.phases[p]));
  }
  if (result.certificate_expiry) stats.certificate_expiry = result.certificate_expiry;
}

// The event of SLOs on this very stage, at the instant that decided it.
void Core::Impl::count_decided(const Run& run, size_t i) {
  if (!run.counted()) return;
  const Stage& stage = run.stages[i];
  slo::Event event = slo::Event::bad;  // skipped, too
  if (stage.record.verdict == StageVerdict::on_time) event = slo::Event::good;
  if (stage.record.verdict == StageVerdict::unseen) event = stage.fault ? slo::Event::probe_fault : slo::Event::blind;
  for (const size_t slo : transactions_[run.id.transaction].slos) {
    if (slos_[slo].plan().stage == i) count_slo(slo, *stage.record.decided, event);
  }
}

// Once the verdict is final: late or lost is known.
void Core::Impl::count_final(const Run& run, size_t i) {
  if (!run.counted()) return;
  const StageRecord& record = run.stages[i].record;
  StageTally& tally = this->tally(run, i);
  StageStats& stats = tally.shown;
  ++stats.verdicts[static_cast<size_t>(*record.verdict)];
  switch (*record.verdict) {
    case StageVerdict::on_time:
    case StageVerdict::late:
    case StageVerdict::corrupt:
      stats.latency.observe(seconds(*record.latency));
      tally.samples.add_seen(*record.decided, *record.latency);
      tally.new_samples = true;
      break;
    case StageVerdict::failed:
      ++stats.failures[static_cast<size_t>(record.error.code)];
      [[fallthrough]];
    case StageVerdict::lost: {
      const Instant limit = run.stages[i].limit;
      stats.latency.observe_infinite();
      tally.samples.add_censored(*record.decided, limit == kNever ? stage_plan(run, i).within : limit - run.due);
      tally.new_samples = true;
      break;
    }
    case StageVerdict::skipped:
    case StageVerdict::unseen:
      break;
  }
}

// Hops, and who came out of order. A stage is reordered when an earlier one was provably sighted after it: their
// intervals do not overlap. (A server that answers only after it has passed the log on is in order.)
void Core::Impl::count_order(Run& run, size_t i) {
  count_hop(run, i);
  if (i + 1 < run.stages.size()) count_hop(run, i + 1);
  const auto reordered = [&](size_t earlier, size_t later) {
    const Stage& a = run.stages[earlier];
    Stage& b = run.stages[later];
    if (!a.counts_as_seen() || !b.counts_as_seen() || *b.record.seen_hi >= *a.record.seen_lo) return;
    if (!std::exchange(b.reordered_counted, true)) count_sighting(run, later, Sighting::reordered);
  };
  for (size_t earlier = 0; earlier < i; ++earlier) reordered(earlier, i);
  for (size_t later = i + 1; later < run.stages.size(); ++later) reordered(i, later);
}

void Core::Impl::count_hop(Run& run, size_t i) {
  Stage& stage = run.stages[i];
  if (!stage.counts_as_seen() || (i > 0 && !run.stages[i - 1].counts_as_seen())) return;
  if (std::exchange(stage.hop_counted, true)) return;
  const Instant before = i > 0 ? *run.stages[i - 1].record.seen_hi : run.due;
  stage.record.hop = std::max(*stage.record.seen_hi - before, Duration::zero());
  if (run.counted()) tally(run, i).shown.hop.observe(seconds(*stage.record.hop));
}

void Core::Impl::count_run(const Run& run) {
  Transaction& t = transaction_of(run);
  ++t.shown.verdicts[static_cast<size_t>(*run.verdict)];
  t.shown.last_verdict = run.verdict;
  slo::Event event = slo::Event::good;
  switch (*run.verdict) {
    case RunVerdict::good:
      t.shown.last_good = run.decided;
      break;
    case RunVerdict::bad:
      event = slo::Event::bad;
      t.shown.last_bad = run.decided;
      break;
    case RunVerdict::blind:
      event = slo::Event::blind;
      break;
    default:
      event = slo::Event::probe_fault;
      break;
  }
  for (const size_t slo : t.slos) {
    if (!slos_[slo].plan().stage) count_slo(slo, run.decided, event);
  }
  tell_of(run, t);
}

// A line when a transaction turns bad and when it is good again, none for a healthy run.
void Core::Impl::tell_of(const Run& run, Transaction& t) {
  const TransactionPlan& plan = plan_of(t);
  if (run.verdict == RunVerdict::good) {
    if (std::exchange(t.last_judged_bad, false)) notice(Notice::Kind::transaction_good, plan.name, "good again");
    return;
  }
  if (run.verdict != RunVerdict::bad || std::exchange(t.last_judged_bad, true)) return;
  const auto bad = std::find_if(run.stages.begin(), run.stages.end(), [](const Stage& s) { return s.record.bad; });
  const StagePlan& stage = plan.stages[static_cast<size_t>(bad - run.stages.begin())];
  notice(Notice::Kind::transaction_bad, plan.name, what_was_wrong(stage, bad->record));
}

}  // namespace slosonde::engine
