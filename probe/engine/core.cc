#include "probe/engine/core.h"

#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

namespace {

// After a stall the ticks in between are left out: nothing can be seen of them but the windows at its end.
constexpr Duration kTicksCaughtUp = std::chrono::hours(1);

Instant tick_at_or_after(Instant t) {
  const Duration into = t.time_since_epoch() % kTickEvery;
  return into == Duration::zero() ? t : t - into + kTickEvery;
}

// Where in its grid a transaction stands: spread evenly, and the same after every start. FNV-1a, mixed as in
// splitmix64's last step.
Duration phase_of(std::string_view probe, std::string_view transaction, Duration every) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ 0xff) * 0x100000001b3;
  };
  add(probe);
  add(transaction);
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  hash ^= hash >> 31;
  return every > Duration::zero() ? Duration(static_cast<int64_t>(hash % static_cast<uint64_t>(every.count())))
                                  : Duration::zero();
}

// What stages and limits make of a stage's histograms.
StageStats empty_stats(const TransactionPlan& transaction, size_t index) {
  const StagePlan& stage = transaction.stages[index];
  Duration limit = stage.within;
  for (std::optional<size_t> from = stage.from; from; from = transaction.stages[*from].from) {
    limit += transaction.stages[*from].within;
  }
  StageStats made;
  made.latency = empty_histogram(latency_edges(limit));
  made.hop = empty_histogram(made.latency.edges);
  const Edges phases = phase_edges(stage.mode == StageMode::polled ? stage.poll_timeout : stage.within);
  for (Histogram& phase : made.phases) phase = empty_histogram(phases);
  return made;
}

}  // namespace

Core::Impl::Impl(std::shared_ptr<const Plan> plan, CoreOptions options)
    : plan_(std::move(plan)),
      options_(options),
      codec_(plan_->key),
      transactions_(plan_->transactions.size()),
      watches_(plan_->watches.size()),
      now_(options.start),
      starved_after_(std::max(plan_->max_lateness, kLeastStarved)),
      start_lateness_(empty_histogram(lateness_edges())) {
  for (uint32_t i = 0; i < transactions_.size(); ++i) equip(transactions_[i], i);
  std::sort(streams_.begin(), streams_.end());
  slos_.reserve(plan_->slos.size());
  for (size_t i = 0; i < plan_->slos.size(); ++i) {
    const SloPlan& slo = plan_->slos[i];
    Transaction& transaction = transactions_[slo.transaction];
    slos_.emplace_back(slo, plan_of(transaction).every, options_.start);
    (slo.faster_than ? transaction.latency_slos : transaction.slos).push_back(i);
  }
  if (!slos_.empty()) queue_.push(tick_at_or_after(options_.start), DueKind::tick);
  for (Transaction& transaction : transactions_) {
    begin_if_ready(transaction, options_.start);
    if (!transaction.begun) queue_.push(options_.start + plan_->settle, DueKind::slot, transaction.index);
  }
}

void Core::Impl::equip(Transaction& transaction, uint32_t index) {
  const TransactionPlan& plan = plan_->transactions[index];
  transaction.index = index;
  const auto taken = [&] {
    return std::any_of(streams_.begin(), streams_.end(),
                       [&](const auto& known) { return known.first == transaction.stream; });
  };
  for (unsigned salt = 0; salt == 0 || taken(); ++salt) {
    transaction.stream = codec_.stream(plan_->probe, plan.name, salt);
  }
  streams_.emplace_back(transaction.stream, index);
  transaction.phase = phase_of(plan_->probe, plan.name, plan.every);
  transaction.stages.resize(plan.stages.size());
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    transaction.stages[i].shown = empty_stats(plan, i);
    if (plan.stages[i].mode != StageMode::watched) continue;
    watches_[plan.stages[i].watch].attached.push_back({index, i});
    transaction.watches.push_back(plan.stages[i].watch);
  }
}

void Core::Impl::feed(Instant now, Input input) {
  now_ = std::max(now_, now);
  std::visit([&](auto& one) { take(now_, one); }, input);
}

void Core::Impl::advance(Instant now, Outputs& outputs) {
  now_ = std::max(now_, now);
  outputs_ = &outputs;
  std::move(notices_.begin(), notices_.end(), std::back_inserter(outputs));
  notices_.clear();
  start_triggered();
  step_changed_alerts(now_);
  while (queue_.next() <= now_) {
    const DueEntry entry = queue_.pop();
    handle(entry);
    step_changed_alerts(entry.due);
  }
  outputs_ = nullptr;
}

void Core::Impl::handle(const DueEntry& entry) {
  switch (entry.kind) {
    case DueKind::tick: {
      for (size_t i = 0; i < slos_.size(); ++i) step_alerts(i, entry.due);
      Instant next = entry.due + kTickEvery;
      if (now_ - next > kTicksCaughtUp) next = tick_at_or_after(now_);
      queue_.push(next, DueKind::tick);
      break;
    }
    case DueKind::run: {
      Run* const run = find_open(entry.transaction, entry.seq);
      if (!run || run->wake != entry.due) return;
      run->wake = kNever;
      step(*run, entry.due);
      break;
    }
    case DueKind::slot: {
      Transaction& transaction = transactions_[entry.transaction];
      if (!transaction.begun) {
        begin_if_ready(transaction, entry.due);
      } else if (transaction.next_slot == entry.due) {
        handle_slot(transaction, entry.due);
      }
      break;
    }
  }
}

Instant Core::Impl::next_due() const {
  const auto waits = [](const Transaction& one) { return one.triggers_waiting > 0; };
  if (!notices_.empty() || std::any_of(transactions_.begin(), transactions_.end(), waits)) return now_;
  return queue_.next();
}

bool Core::Impl::ready() const {
  const auto reported = [](const WatchTracking& watch) { return watch.status.state != WatchState::starting; };
  return now_ >= options_.start + plan_->settle || std::all_of(watches_.begin(), watches_.end(), reported);
}

uint64_t Core::Impl::in_flight() const {
  uint64_t sum = cleaning_up_;
  for (const Transaction& transaction : transactions_) sum += transaction.undecided;
  return sum;
}

void Core::Impl::notice(Notice::Kind kind, std::string subject, std::string text) {
  Notice made{kind, std::move(subject), std::move(text)};
  if (outputs_) {
    outputs_->emplace_back(std::move(made));
  } else {
    notices_.emplace_back(std::move(made));
  }
}

void Core::Impl::take(Instant now, CheckDone& done) {
  Run* const run = find_open(done.run.transaction, done.run.seq);
  if (!run) return;
  if (done.finally) {
    if (done.stage == run->finally_at && !run->finally_done() && run->finally[done.stage].running) {
      take_final_result(*run, done.stage, now, done.result);
    }
    return;
  }
  if (done.stage >= run->stages.size()) return;
  const Stage& stage = run->stages[done.stage];
  if (stage.attempt_running && done.attempt + 1 == stage.record.attempts) {
    take_result(*run, done.stage, now, done.result);
  }
}

void Core::Impl::take(Instant now, Covered& covered) {
  if (covered.watch >= watches_.size()) return;
  WatchTracking& watch = watches_[covered.watch];
  watch.told_at = now;
  const TimeSpan whole = watch.coverage.add(covered.from, std::min(covered.to, now));
  if (watch.status.state == WatchState::out_of_sight) {
    notice(Notice::Kind::watch_back, plan_->watches[covered.watch].name, "in sight again");
  }
  watch.status.state = WatchState::in_sight;
  watch.status.error = {};
  if (whole.to >= whole.from && (!watch.status.covered_to || *watch.status.covered_to < whole.to)) {
    watch.status.covered_to = whole.to;
  }
  Instant oldest = now;
  for (const Attached& one : watch.attached) {
    Transaction& transaction = transactions_[one.transaction];
    if (!watch.covered_once) transaction.newly_covered = true;
    if (!transaction.open.empty()) oldest = std::min(oldest, transaction.open.front()->due);
  }
  if (!watch.covered_once) {
    watch.covered_once = true;
    for (Transaction& transaction : transactions_) {
      if (std::exchange(transaction.newly_covered, false)) begin_if_ready(transaction, now);
    }
  }
  watch.coverage.forget_before(oldest);
  proceed_waiting(watch, whole, now);
}

void Core::Impl::take(Instant now, OutOfSight& lost) {
  if (lost.watch >= watches_.size()) return;
  WatchTracking& watch = watches_[lost.watch];
  watch.told_at = now;
  if (watch.status.state != WatchState::out_of_sight) {
    notice(Notice::Kind::watch_lost, plan_->watches[lost.watch].name, lost.error.text);
  }
  watch.status.state = WatchState::out_of_sight;
  watch.status.error = std::move(lost.error);
  if (!is_own_fault(watch.status.error.code)) proceed_all_waiting(watch, now);
}

void Core::Impl::take(Instant, Trigger& trigger) {
  if (trigger.transaction < transactions_.size()) ++transactions_[trigger.transaction].triggers_waiting;
}

void Core::Impl::take(Instant, Drain&) {
  draining_ = true;
  for (Transaction& transaction : transactions_) transaction.next_slot = kNever;
}

void Core::Impl::take(Instant, WallStep& step) {
  wall_offset_ = step.offset;
  ++wall_steps_;
}

Core::Core(std::shared_ptr<const Plan> plan, CoreOptions options)
    : impl_(std::make_unique<Impl>(std::move(plan), options)) {}
Core::~Core() = default;
void Core::feed(Instant now, Input input) {
  impl_->feed(now, std::move(input));
}
void Core::advance(Instant now, Outputs& outputs) {
  impl_->advance(now, outputs);
}
Instant Core::next_due() const {
  return impl_->next_due();
}
bool Core::ready() const {
  return impl_->ready();
}
uint64_t Core::in_flight() const {
  return impl_->in_flight();
}
std::shared_ptr<const RunRecord> Core::find_run(std::string_view marker) const {
  return impl_->find_run(marker);
}
std::shared_ptr<Snapshot> Core::snapshot(Instant now) {
  return impl_->snapshot(now);
}

}  // namespace slosonde::engine
