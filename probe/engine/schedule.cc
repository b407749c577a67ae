// When runs are started, and which slots are missed.
#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

void Core::Impl::begin_if_ready(Transaction& t, Instant now) {
  const Duration every = plan_of(t).every;
  if (t.begun || draining_ || !options_.schedule || every <= Duration::zero()) return;
  const auto covered = [&](size_t watch) { return watches_[watch].covered_once; };
  const bool ready = std::all_of(t.watches.begin(), t.watches.end(), covered);
  if (!ready && now < options_.start + plan_->settle) return;
  t.begun = true;
  const Duration past = (now.time_since_epoch() - t.phase) % every;  // since the last slot
  t.next_slot = past == Duration::zero() ? now : now - past + every;
  queue_.push(t.next_slot, DueKind::slot, t.index);
}

// Of the slots due by now, those within the loop's own grain are started; after a stall, at most the newest.
void Core::Impl::handle_slot(Transaction& t, Instant slot) {
  const Duration every = plan_of(t).every;
  const Duration lateness = now_ - slot;
  // Limits count from due: a run that starts with little of its first limit left would be bad because of us.
  const Duration latest = std::min(plan_->max_lateness, plan_of(t).stages.front().within / 2);
  const Duration grain = std::min(kSlotGrain, latest);
  if (lateness > grain) {
    const auto newest = static_cast<uint64_t>(lateness / every);  // counted from `slot`
    const auto first_in_grain = static_cast<uint64_t>((lateness - grain + every - Duration(1)) / every);
    uint64_t missed = std::min(first_in_grain, newest);
    if (lateness - every * static_cast<int64_t>(newest) > latest) missed = newest + 1;
    if (missed > 0) {
      t.next_slot = slot + every * static_cast<int64_t>(missed);
      queue_.push(t.next_slot, DueKind::slot, t.index);
      return miss(t, slot, missed, "the probe was held up and came too late for it");
    }
  }
  t.next_slot = slot + every;
  queue_.push(t.next_slot, DueKind::slot, t.index);
  if (t.places >= plan_of(t).max_in_flight) {
    return miss(t, slot, 1, "as many runs as may be (max_in_flight) are still in flight");
  }
  if (t.open_runs >= kMostOpenRuns) return miss(t, slot, 1, "too many earlier runs are still kept");
  t.missing = false;
  start_lateness_.observe(seconds(lateness));
  start_run(t, slot, Origin::scheduled);
}

void Core::Impl::miss(Transaction& t, Instant first, uint64_t n, std::string_view why) {
  t.shown.verdicts[static_cast<size_t>(RunVerdict::missed)] += n;
  const Duration every = plan_of(t).every;
  for (const auto* list : {&t.slos, &t.latency_slos}) {
    for (const size_t slo : *list) {
      slos_[slo].count_missed(first, every, n);
      changed_slos_.push_back(slo);
    }
  }
  if (std::exchange(t.missing, true)) return;
  std::string text = n == 1 ? "a slot was missed: " : std::to_string(n) + " slots were missed: ";
  notice(Notice::Kind::slot_missed, plan_of(t).name, text.append(why));
}

void Core::Impl::start_triggered() {
  for (Transaction& t : transactions_) {
    for (; t.triggers_waiting > 0; --t.triggers_waiting) {
      if (!draining_ && t.triggered < kMostTriggered && t.open_runs < kMostOpenRuns) {
        start_run(t, now_, Origin::triggered);
      }
    }
  }
}

void Core::Impl::start_run(Transaction& t, Instant due, Origin origin) {
  const TransactionPlan& plan = plan_of(t);
  auto made = std::make_unique<Run>();
  Run& run = *made;
  run.id = {t.index, t.next_seq++};
  run.tokens = codec_.tokens(marker_id(run));
  run.origin = origin;
  run.due = due;
  run.started = now_;
  run.stages.resize(plan.stages.size());
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    if (!plan.stages[i].from) run.stages[i].limit = due + plan.stages[i].within;
  }
  run.finally.resize(plan.finally.size());
  if (run.counted()) run.latency.resize(t.latency_slos.size());
  t.open.push_back(std::move(made));
  ++t.open_runs;
  ++t.undecided;
  ++(run.counted() ? t.places : t.triggered);
  outputs_->emplace_back(RunStarted{run.id, origin});
  step(run, due);
}

Run* Core::Impl::find_open(uint32_t transaction, uint64_t seq) {
  if (transaction >= transactions_.size()) return nullptr;
  Transaction& t = transactions_[transaction];
  if (seq < t.first_open || seq - t.first_open >= t.open.size()) return nullptr;
  return t.open[seq - t.first_open].get();
}

void Core::Impl::wake(Run& run, Instant t) {
  if (t >= run.wake) return;
  run.wake = t;
  queue_.push(t, DueKind::run, run.id.transaction, run.id.seq);
}

void Core::Impl::give_back_place(Run& run) {
  if (!std::exchange(run.holds_place, false)) return;
  Transaction& t = transaction_of(run);
  --(run.counted() ? t.places : t.triggered);
}

ledger::MarkerId Core::Impl::marker_id(const Run& run) const {
  return {transactions_[run.id.transaction].stream, options_.epoch & ledger::kMostEpoch, run.id.seq};
}

}  // namespace slosonde::engine
