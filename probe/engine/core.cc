// What is fed and what is due: from the inputs to the judge, and from its facts to everything else.
#include "probe/engine/core.h"

#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

namespace {

// How often windows move.
constexpr Duration kTickEvery = slo::kFineSlot;
// After a stall the ticks in between are left out: nothing can be seen of them but the windows at its end.
constexpr Duration kTicksCaughtUp = std::chrono::hours(1);

Instant tick_at_or_after(Instant t) {
  const Duration into = t.time_since_epoch() % kTickEvery;
  return into == Duration::zero() ? t : t - into + kTickEvery;
}

bool fits(const StagePlan& stage, const checks::Evidence& evidence) {
  if (stage.phase == checks::EvidencePhase::none) return evidence.phase != checks::EvidencePhase::resolved;
  return stage.phase == evidence.phase;
}

}  // namespace

Core::Impl::Impl(std::shared_ptr<const Plan> plan, CoreOptions options)
    : plan_(std::move(plan)),
      options_(options),
      schedule_(*plan_, queue_, options.start, options.schedule),
      markers_(*plan_, options.epoch),
      runs_(*plan_, queue_, options.kept_runs),
      sight_(*plan_, options.start),
      witnesses_(plan_->witnesses.size()),
      reports_(*plan_, markers_, starvation_),
      judge_(*plan_, sight_, starvation_, witnesses_),
      stats_(*plan_),
      slis_(*plan_, options.start),
      exclusions_(*plan_),
      suspensions_(*plan_),
      tell_of_alerts_(tell_of_alerts()),
      now_(options.start),
      triggers_waiting_(transactions()),
      watches_(transactions()) {
  equip_transactions();
  if (options_.kept != nullptr) restore();
  begin();
}

void Core::Impl::equip_transactions() {
  for (uint32_t t = 0; t < transactions(); ++t) {
    backoffs_.emplace_back(plan_->transactions[t].every, plan_->transactions[t].backoff);
    for (const StagePlan& stage : plan_->transactions[t].stages) {
      if (stage.mode == StageMode::watched) watches_[t].push_back(stage.watch);
    }
  }
}

void Core::Impl::begin() {
  if (!slis_.empty()) queue_.push(tick_at_or_after(now_), DueKind::tick);
  for (uint32_t t = 0; t < transactions(); ++t) {
    begin_if_ready(t, now_);
    if (!schedule_.begun(t)) queue_.push(now_ + plan_->settle, DueKind::slot, t);
  }
}

void Core::Impl::restore() {
  keep_.emplace(*plan_, schedule_, markers_, runs_, sight_, slis_, options_.epoch);
  exclusions_.restore(*options_.kept, options_.start);
  suspensions_.restore(*options_.kept);
  Keep::Restored restored =
      keep_->restore(*std::exchange(options_.kept, nullptr), options_.start, options_.clock_stepped);
  for (const auto& [transaction, missed] : restored.missed) miss(transaction, missed);
  for (const DroppedRun& run : restored.dropped) count_dropped(run);
  for (Run* const run : restored.runs) runs_.wake(*run, options_.start);
  std::move(restored.notices.begin(), restored.notices.end(), std::back_inserter(notices_));
}

void Core::Impl::count_dropped(const DroppedRun& run) {
  const uint32_t transaction = run.transaction;
  const Instant at = options_.start;
  const bool excluded = exclusions_.covers_run(transaction, std::min(run.due, at));
  const slo::Event event = excluded ? slo::excluded(slo::Event::probe_fault) : slo::Event::probe_fault;
  if (!run.decided) {
    stats_.dropped(transaction, excluded);
    slis_.run_decided(transaction, event, at);
  }
  for (const size_t stage : run.open_stages) slis_.stage_decided(transaction, stage, event, at);
  const auto& latencies = judge_.latency_slos(transaction);
  for (const size_t k : run.open_latencies) slis_.count(latencies[k], event, at);
}

void Core::Impl::feed(Instant now, Input input) {
  now_ = std::max(now_, now);
  std::visit([this](auto& one) { take(one); }, input);
}

void Core::Impl::take(CheckDone& done) {
  Run* const run = runs_.find(done.run);
  if (!run || !Reports::awaited(*run, done.finally, done.stage, done.attempt)) return;
  if (done.finally) {
    Reports::final_result(*run, done.stage, now_, done.result);
    return runs_.wake(*run, now_);
  }
  if (run->counted()) stats_.attempt(run->id, done.stage, done.result);
  runs_.wake(*run, reports_.result(*run, done.stage, now_, done.result));
}

void Core::Impl::take(EvidenceSeen& seen) {
  if (!sight_.known(seen.watch)) return;
  checks::Evidence& evidence = seen.evidence;
  evidence.seen_hi = std::min(evidence.seen_hi, now_);
  evidence.seen_lo = std::min(evidence.seen_lo, evidence.seen_hi);
  for (const ledger::MarkerHit& hit : markers_.scan(evidence.text)) match(seen, hit);
}

// Which run's marker it is, and which stages it speaks for.
void Core::Impl::match(const EvidenceSeen& seen, const ledger::MarkerHit& hit) {
  const auto transaction = hit.genuine ? markers_.transaction_of(hit.id) : std::nullopt;
  if (!transaction) return count_on_attached(seen, Sighting::foreign, std::nullopt);
  const auto id = markers_.run_of(*transaction, hit.id);
  if (!id) return count_on_attached(seen, Sighting::stale, transaction);
  if (!runs_.issued(*id)) return count_on_attached(seen, Sighting::unexpected, transaction);
  Run* const run = runs_.find(*id);
  if (!run) return count_on_attached(seen, Sighting::stale, transaction);
  for (const Attached& one : sight_.attached(seen.watch)) {
    if (one.transaction != *transaction || !fits(plan_of(one), seen.evidence)) continue;
    checks::Evidence evidence = seen.evidence;
    if (evidence.may_be_again && !sight_.unbroken(seen.watch, run->due)) {
      evidence.seen_lo = std::min(evidence.seen_lo, run->due);
    }
    evidence.seen_lo = std::clamp(sight_.handed_over_since(seen.watch, run->due), evidence.seen_lo, evidence.seen_hi);
    const Reports::Sighted noted = reports_.evidence(*run, one.stage, evidence, now_);
    if (noted.kind && run->counted()) stats_.sighted(one.transaction, one.stage, *noted.kind);
    runs_.wake(*run, noted.wake);
  }
}

void Core::Impl::count_on_attached(const EvidenceSeen& seen, Sighting kind, std::optional<uint32_t> only) {
  for (const Attached& one : sight_.attached(seen.watch)) {
    if (only && one.transaction != *only) continue;
    if (fits(plan_of(one), seen.evidence)) stats_.sighted(one.transaction, one.stage, kind);
  }
}

void Core::Impl::take(Covered& covered) {
  if (!sight_.known(covered.watch)) return;
  Instant oldest = now_;
  for (const Attached& one : sight_.attached(covered.watch)) {
    oldest = std::min(oldest, runs_.oldest_due(one.transaction));
  }
  // One that begins later, after a triggered one too, may have been due so much earlier.
  oldest -= plan_->max_lateness;
  const Sight::Gained gained = sight_.covered(covered.watch, covered.from, covered.to, now_, oldest);
  if (gained.back) notice(Notice::Kind::watch_back, plan_->watches[covered.watch].name, "in sight again");
  if (gained.first) begin_those_ready(covered.watch);
  wake(gained.proceed);
}

void Core::Impl::begin_those_ready(size_t watch) {
  for (const Attached& one : sight_.attached(watch)) begin_if_ready(one.transaction, now_);
}

void Core::Impl::take(OutOfSight& lost) {
  if (!sight_.known(lost.watch)) return;
  std::string text = lost.error.text;
  const Sight::Lost now_lost = sight_.out_of_sight(lost.watch, std::move(lost.error), now_);
  if (now_lost.news) notice(Notice::Kind::watch_lost, plan_->watches[lost.watch].name, std::move(text));
  begin_those_ready(lost.watch);
  wake(now_lost.proceed);
}

void Core::Impl::wake(const std::vector<RunId>& runs) {
  for (const RunId& id : runs) {
    if (Run* const run = runs_.find(id)) runs_.wake(*run, now_);
  }
}

void Core::Impl::take(Trigger& trigger) {
  if (trigger.transaction < transactions()) ++triggers_waiting_[trigger.transaction];
}

void Core::Impl::take(Drain&) {
  schedule_.drain();
}

void Core::Impl::take(WallStep& step) {
  wall_offset_ = step.offset;
  exclusions_.wall_offset(step.offset);
  ++wall_steps_;
}

void Core::Impl::take(Starved& starved) {
  starvation_.note(starved.from, std::min(starved.to, now_), starved.waited);
}

void Core::Impl::take(WitnessSaid& said) {
  const WitnessLog::Said news = witnesses_.say(said.witness, said.asked, said.reachable, now_);
  if (!news.known) return;
  for (const RunId& id : std::exchange(asking_, {})) {
    if (Run* const run = runs_.find(id)) runs_.wake(*run, now_);
  }
  if (!news.turned) return;
  wake(sight_.waiting());
  if (witnesses_.silent()) {
    notice(Notice::Kind::network_lost, plan_->probe,
           "no witness answers, so that our own network is down: until one does, what cannot be reached is our fault");
  } else {
    notice(Notice::Kind::network_back, plan_->probe, "a witness answers: our own network is there again");
  }
}

Result<void> Core::Impl::command(Instant now, const Command& command) {
  now_ = std::max(now_, now);
  return std::visit([this](const auto& order) { return take(order); }, command);
}

Result<void> Core::Impl::take(const ExclusionOrder& order) {
  if (auto done = exclusions_.declare(order, now_); !done) return done;
  notice(Notice::Kind::exclusion_declared, order.name,
         "runs that it covers are made and shown, and count in no SLI and not in coverage");
  return {};
}

Result<void> Core::Impl::take(const EndExclusion& order) {
  if (auto done = exclusions_.end(order.name, now_); !done) return done;
  notice(Notice::Kind::exclusion_ended, order.name, "what was counted stays as it is");
  return {};
}

Result<void> Core::Impl::take(const Suspend& order) {
  bool found = order.transaction.empty();
  for (uint32_t t = 0; t < transactions(); ++t) {
    const std::string& name = plan_->transactions[t].name;
    if (!order.transaction.empty() && name != order.transaction) continue;
    found = true;
    if (!suspensions_.set(t, order.on, now_)) continue;
    notice(order.on ? Notice::Kind::suspended : Notice::Kind::resumed, name,
           order.on ? "its slots are missed until it is resumed; runs in flight go on" : "its next slot is started");
  }
  if (!found) return fail(ErrorCode::bad_config, "no transaction is named \"" + order.transaction + "\"");
  if (order.transaction.empty() && !order.on) suspensions_.forget_absent();
  return {};
}

store::Batch Core::Impl::take_changes(bool whole) {
  store::Batch batch = keep_->take_changes(whole);
  exclusions_.take_changes(whole, batch);
  suspensions_.take_changes(whole, batch);
  return batch;
}

void Core::Impl::advance(Instant now, Outputs& outputs) {
  now_ = std::max(now_, now);
  outputs_ = &outputs;
  std::move(notices_.begin(), notices_.end(), std::back_inserter(outputs));
  notices_.clear();
  start_triggered();
  slis_.step_changed(now_, tell_of_alerts_);
  while (queue_.next() <= now_) {
    const DueEntry entry = queue_.pop();
    handle(entry);
    // Of what counts at one instant alerts see all or nothing.
    if (queue_.next() != entry.due) slis_.step_changed(entry.due, tell_of_alerts_);
  }
  outputs_ = nullptr;
}

void Core::Impl::handle(const DueEntry& entry) {
  switch (entry.kind) {
    case DueKind::tick: {
      slis_.step_all(entry.due, tell_of_alerts_);
      Instant next = entry.due + kTickEvery;
      if (now_ - next > kTicksCaughtUp) next = tick_at_or_after(now_);
      queue_.push(next, DueKind::tick);
      break;
    }
    case DueKind::run:
      if (Run* const run = runs_.woken(entry)) step(*run, entry.due);
      break;
    case DueKind::slot:
      if (!schedule_.begun(entry.transaction)) {
        begin_if_ready(entry.transaction, entry.due);
      } else if (schedule_.is_next(entry.transaction, entry.due)) {
        handle_slot(entry.transaction, entry.due);
      }
      break;
  }
}

void Core::Impl::begin_if_ready(uint32_t transaction, Instant now) {
  const auto& watches = watches_[transaction];
  schedule_.begin_if_ready(transaction, now,
                           std::ranges::all_of(watches, [&](size_t watch) { return sight_.ready(watch); }));
}

void Core::Impl::handle_slot(uint32_t transaction, Instant slot) {
  if (const auto missed = schedule_.take(transaction, slot, now_)) return miss(transaction, *missed);
  if (suspensions_.since(transaction)) {
    return miss(transaction, schedule_.skip(transaction, slot, "the transaction is suspended"));
  }
  if (!backoffs_[transaction].may_start(slot)) {
    return miss(transaction, schedule_.skip(transaction, slot, "backing off, for the target could not be reached"));
  }
  if (const char* const why = runs_.why_not(transaction, Origin::scheduled)) {
    return miss(transaction, schedule_.skip(transaction, slot, why));
  }
  schedule_.started(transaction);
  backoffs_[transaction].started(slot);
  stats_.started(now_ - slot);
  start_run(transaction, slot, Origin::scheduled);
}

void Core::Impl::miss(uint32_t transaction, const MissedSlots& missed) {
  exclusions_.split(transaction, missed.first, plan_->transactions[transaction].every, missed.count,
                    [&](Instant first, uint64_t count, bool covered) {
                      stats_.missed(transaction, count, covered);
                      slis_.missed(transaction, first, count, covered);
                    });
  if (!missed.news) return;
  std::string text = missed.count == 1 ? "a slot was missed: " : std::to_string(missed.count) + " slots were missed: ";
  notice(Notice::Kind::slot_missed, plan_->transactions[transaction].name, text.append(missed.why));
}

void Core::Impl::start_triggered() {
  for (uint32_t t = 0; t < transactions(); ++t) {
    for (; triggers_waiting_[t] > 0; --triggers_waiting_[t]) {
      if (!schedule_.draining() && !runs_.why_not(t, Origin::triggered)) start_run(t, now_, Origin::triggered);
    }
  }
}

void Core::Impl::start_run(uint32_t transaction, Instant due, Origin origin) {
  const size_t latency_slos = judge_.latency_slos(transaction).size();
  Run& run = runs_.start(transaction, origin, due, now_, latency_slos, markers_);
  outputs_->emplace_back(RunStarted{run.id, origin});
  step(run, due);
}

void Core::Impl::step(Run& run, Instant t) {
  facts_.clear();
  const Instant next = judge_.step(run, t, now_, facts_);
  runs_.wake(run, next);
  for (const Fact& fact : facts_) std::visit([&](const auto& one) { apply(run, one); }, fact);
}

void Core::Impl::apply(Run& run, const AttemptStarts& fact) {
  outputs_->emplace_back(order_for(run, fact.stage, false));
}
void Core::Impl::apply(Run& run, const AttemptEnds& fact) {
  outputs_->emplace_back(
      CancelCheck{run.id, false, static_cast<uint32_t>(fact.stage), run.stages[fact.stage].record.attempts - 1});
}
void Core::Impl::apply(Run& run, const StepStarts& fact) {
  outputs_->emplace_back(order_for(run, fact.step, true));
}
void Core::Impl::apply(Run& run, const StepEnds& fact) {
  outputs_->emplace_back(CancelCheck{run.id, true, static_cast<uint32_t>(fact.step), 0});
}
void Core::Impl::apply(Run&, const CleanedUp&) {
  runs_.cleaned_up();
}
void Core::Impl::apply(Run& run, const AwaitsSight& fact) {
  sight_.wait(fact.watch, {run.due, fact.until, run.id, fact.what});
}
void Core::Impl::apply(Run& run, const SightSettled& fact) {
  sight_.settle(fact.watch, {run.due, fact.until, run.id, fact.what});
}
void Core::Impl::apply(Run& run, const AsksWitnesses&) {
  asking_.insert(run.id);
}
void Core::Impl::apply(Run& run, const Sighted& fact) {
  if (run.counted()) stats_.sighted(run.id.transaction, fact.stage, fact.kind);
}
void Core::Impl::apply(Run& run, const Hopped& fact) {
  if (run.counted()) stats_.hopped(run, fact.stage);
}
void Core::Impl::apply(Run& run, const StageDecided& fact) {
  if (run.counted()) slis_.stage_decided(run.id.transaction, fact.stage, event_for(run, fact.event), fact.at);
}
void Core::Impl::apply(Run& run, const StageFinal& fact) {
  if (run.counted()) stats_.stage_final(run, fact.stage);
}
void Core::Impl::apply(Run& run, const LatencyDecided& fact) {  // a triggered run has no latency SLOs
  slis_.count(fact.slo, event_for(run, fact.event), fact.at);
}
void Core::Impl::apply(Run& run, const PlaceFree&) {
  runs_.free_place(run);
}
void Core::Impl::apply(Run& run, const RunDecided&) {
  runs_.decided(run);
  if (!run.counted()) return;
  backoffs_[run.id.transaction].decided(was_unreachable(run));
  const slo::Event event = event_for(run, event_of(*run.verdict));
  if (event == slo::excluded(event)) run.verdict = RunVerdict::excluded;
  slis_.run_decided(run.id.transaction, event, run.decided);
  auto turn = stats_.run_decided(run);
  if (!turn) return;
  using Turn = Stats::Turn::Kind;
  notice(turn->kind == Turn::good  ? Notice::Kind::transaction_good
         : turn->kind == Turn::bad ? Notice::Kind::transaction_bad
                                   : Notice::Kind::transaction_bad_otherwise,
         plan_->transactions[run.id.transaction].name, std::move(turn->text));
}
void Core::Impl::apply(Run& run, const RunOver&) {
  const RunId id = run.id;
  const bool awaits_store = run.saved;  // which asks for its marker once more
  outputs_->emplace_back(RunClosed{runs_.close(run)});
  asking_.erase(id);
  if (!awaits_store) markers_.closed(id);
}

slo::Event Core::Impl::event_for(const Run& run, slo::Event event) const {
  return exclusions_.covers_run(run.id.transaction, run.due) ? slo::excluded(event) : event;
}

StartCheck Core::Impl::order_for(const Run& run, size_t index, bool finally) const {
  const TransactionPlan& transaction = plan_->transactions[run.id.transaction];
  const StagePlan& plan = (finally ? transaction.finally : transaction.stages)[index];
  StartCheck order;
  order.run = run.id;
  order.finally = finally;
  order.stage = static_cast<uint32_t>(index);
  if (!finally) {
    order.attempt = run.stages[index].record.attempts - 1;
    order.polling = plan.mode == StageMode::polled;
  }
  order.due = run.due;
  order.deadline = finally ? run.finally[index].deadline : run.stages[index].attempt_deadline;
  order.marker = run.tokens.marker;
  const size_t step = finally ? run.stages.size() + index : index;
  order.traceparent = run.tokens.traceparent(static_cast<uint16_t>(step + 1));
  if (plan.sends_payload) order.payload = markers_.payload(run.id);
  order.captures = run.captures;
  return order;
}

void Core::Impl::notice(Notice::Kind kind, std::string subject, std::string text) {
  Notice made{kind, std::move(subject), std::move(text)};
  if (outputs_) {
    outputs_->emplace_back(std::move(made));
  } else {
    notices_.emplace_back(std::move(made));
  }
}

SliBook::Tell Core::Impl::tell_of_alerts() {
  return [this](const SloPlan& slo, bool fired, std::string text) {
    notice(fired ? Notice::Kind::alert_fired : Notice::Kind::alert_resolved, slo.name, std::move(text));
  };
}

Instant Core::Impl::next_due() const {
  const auto waits = [](uint32_t n) { return n > 0; };
  if (!notices_.empty() || std::any_of(triggers_waiting_.begin(), triggers_waiting_.end(), waits)) return now_;
  return queue_.next();
}

std::shared_ptr<Snapshot> Core::Impl::snapshot(Instant now) {
  now = std::max(now, now_);
  stats_.renew_percentiles(now);
  exclusions_.forget_over(now);
  auto made = std::make_shared<Snapshot>();
  made->at = now;
  made->wall_offset = wall_offset_;
  made->plan = plan_;
  made->started = options_.start;
  made->ready = ready();
  made->draining = schedule_.draining();
  made->start_lateness = stats_.start_lateness();
  made->wall_steps = wall_steps_;
  made->watches = sight_.statuses();
  made->witnesses = witnesses_.last();
  if (witnesses_.silent()) made->silent_since = witnesses_.silent_since();
  made->slos = slis_.statuses();
  made->exclusions = exclusions_.statuses(now);
  made->transactions.reserve(transactions());
  for (uint32_t t = 0; t < transactions(); ++t) {
    TransactionStats stats = stats_.of(t);
    stats.in_flight = runs_.undecided(t);
    stats.next_due = schedule_.next(t);
    stats.suspended_since = suspensions_.since(t);
    made->transactions.push_back(std::move(stats));
  }
  made->runs = runs_.list();
  return made;
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
Result<void> Core::command(Instant now, const Command& command) {
  return impl_->command(now, command);
}
store::Batch Core::take_changes(bool whole) {
  return impl_->take_changes(whole);
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
std::shared_ptr<Snapshot> Core::snapshot(Instant now) {
  return impl_->snapshot(now);
}

}  // namespace slosonde::engine
