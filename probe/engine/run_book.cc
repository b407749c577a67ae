#include "probe/engine/run_book.h"

#include <algorithm>
#include <utility>

#include "probe/engine/judge.h"

namespace slosonde::engine {

namespace {

// Runs kept of one transaction, those that only wait for sight or late evidence among them; more slots are missed.
constexpr size_t kMostOpenRuns = 1 << 17;
// Triggered runs of one transaction that are not yet decided.
constexpr uint32_t kMostTriggered = 16;
constexpr size_t kMostShownOpen = 1000;  // runs in flight that a snapshot shows, of one transaction

}  // namespace

RunBook::RunBook(const Plan& plan, ScheduleQueue& queue, size_t kept)
    : plan_(plan), queue_(queue), most_kept_(kept), lanes_(plan.transactions.size()) {}

Run& RunBook::start(uint32_t transaction, Origin origin, Instant due, Instant now, size_t latency_slos,
                    const RunMarkers& markers) {
  Lane& lane = lanes_[transaction];
  const TransactionPlan& plan = plan_.transactions[transaction];
  auto made = std::make_unique<Run>();
  Run& run = *made;
  run.id = {transaction, lane.next_seq++};
  run.tokens = markers.tokens(run.id);
  run.origin = origin;
  run.due = due;
  run.started = now;
  run.stages.resize(plan.stages.size());
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    if (!plan.stages[i].from) run.stages[i].limit = due + plan.stages[i].within;
  }
  run.finally.resize(plan.finally.size());
  if (run.counted()) run.latency.resize(latency_slos);
  lane.open.push_back(std::move(made));
  ++lane.open_runs;
  ++lane.undecided;
  ++(run.counted() ? lane.places : lane.triggered);
  return run;
}

Run* RunBook::find(const RunId& id) {
  if (id.transaction >= lanes_.size()) return nullptr;
  Lane& lane = lanes_[id.transaction];
  if (id.seq < lane.first_open || id.seq - lane.first_open >= lane.open.size()) return nullptr;
  return lane.open[id.seq - lane.first_open].get();
}

Run& RunBook::adopt(uint32_t transaction, Run run) {
  Lane& lane = lanes_[transaction];
  run.id = {transaction, lane.next_seq++};
  lane.open.push_back(std::make_unique<Run>(std::move(run)));
  Run& adopted = *lane.open.back();
  ++lane.open_runs;
  if (adopted.holds_place) ++lane.places;
  if (!adopted.verdict) ++lane.undecided;
  if (adopted.verdict && !adopted.finally_done()) ++cleaning_up_;
  adopted.cleaned_up = adopted.verdict && adopted.finally_done();
  adopted.saved = true;
  return adopted;
}

std::vector<Run*> RunBook::take_over(uint32_t transaction, RunBook& before, uint32_t was) {
  Lane& lane = lanes_[transaction];
  lane = std::exchange(before.lanes_[was], Lane{});
  if (transaction != was) show_under(lane, transaction);
  std::vector<Run*> taken = open(transaction);
  for (Run* const run : taken) {
    run->id.transaction = transaction;
    run->shown.reset();
    run->unsaved = false;
    run->saved = keeping_ && run->counted();
    if (run->wake != kNever) queue_.push(run->wake, DueKind::run, transaction, run->id.seq);
    if (run->verdict && !run->finally.empty() && !run->cleaned_up) ++cleaning_up_;
  }
  return taken;
}

void RunBook::show_on(uint32_t transaction, const RunBook& before, uint32_t was) {
  Lane& lane = lanes_[transaction];
  const Lane& other = before.lanes_[was];
  lane.next_seq = lane.first_open = other.next_seq;
  lane.kept = other.kept;
  show_under(lane, transaction);
}

// Records never change once shown: those under another index are others.
void RunBook::show_under(Lane& lane, uint32_t transaction) {
  for (RunPtr& one : lane.kept) {
    auto record = std::make_shared<RunRecord>(*one);
    record->id.transaction = transaction;
    one = std::move(record);
  }
  lane.shown.reset();
}

std::vector<Run*> RunBook::open(uint32_t transaction) {
  std::vector<Run*> all;
  for (const auto& run : lanes_[transaction].open) {
    if (run) all.push_back(run.get());
  }
  return all;
}

void RunBook::touch(Run& run) {
  if (!keeping_ || run.unsaved || !run.counted()) return;
  run.unsaved = true;
  unsaved_.push_back(run.id);
  if (unsaved_.size() < tidy_at_) return;
  // Nobody takes them: the disk may be full for a long time.
  std::erase_if(unsaved_, [&](const RunId& id) { return find(id) == nullptr; });
  tidy_at_ = std::max<size_t>(1024, 2 * unsaved_.size());
}

RunBook::Changes RunBook::take_changes() {
  Changes changes;
  changes.closed = std::exchange(closed_, {});
  for (const RunId& id : std::exchange(unsaved_, {})) {
    Run* const run = find(id);
    if (!run) continue;
    run->unsaved = false;
    run->saved = true;
    changes.open.push_back(run);
  }
  return changes;
}

RunBook::Changes RunBook::take_all() {
  for (const Lane& lane : lanes_) {
    for (const auto& run : lane.open) {
      if (run) touch(*run);
    }
  }
  return take_changes();
}

void RunBook::wake(Run& run, Instant t) {
  touch(run);
  if (t >= run.wake) return;
  run.wake = t;
  queue_.push(t, DueKind::run, run.id.transaction, run.id.seq);
}

Run* RunBook::woken(const DueEntry& entry) {
  Run* const run = find({entry.transaction, entry.seq});
  if (!run || run->wake != entry.due) return nullptr;
  run->wake = kNever;
  return run;
}

const char* RunBook::why_not(uint32_t transaction, Origin origin) const {
  const Lane& lane = lanes_[transaction];
  if (origin == Origin::triggered && lane.triggered >= kMostTriggered) return "too many triggered runs are in flight";
  if (origin == Origin::scheduled && lane.places >= plan_.transactions[transaction].max_in_flight) {
    return "as many runs as may be (max_in_flight) are still in flight";
  }
  return lane.open_runs >= kMostOpenRuns ? "too many earlier runs are still kept" : nullptr;
}

void RunBook::free_place(const Run& run) {
  Lane& lane = lanes_[run.id.transaction];
  --(run.counted() ? lane.places : lane.triggered);
}

void RunBook::decided(const Run& run) {
  --lanes_[run.id.transaction].undecided;
  if (!run.finally.empty()) ++cleaning_up_;
}

RunPtr RunBook::close(Run& run) {
  Lane& lane = lanes_[run.id.transaction];
  RunPtr record = show(run);
  if (run.saved) closed_.push_back(run.id);
  if (most_kept_ > 0) {
    lane.kept.push_front(record);
    if (lane.kept.size() > most_kept_) lane.kept.pop_back();
    lane.shown.reset();
  }
  lane.open[run.id.seq - lane.first_open].reset();
  --lane.open_runs;
  while (!lane.open.empty() && !lane.open.front()) {
    lane.open.pop_front();
    ++lane.first_open;
  }
  return record;
}

uint64_t RunBook::in_flight() const {
  uint64_t sum = cleaning_up_;
  for (const Lane& lane : lanes_) sum += lane.undecided;
  return sum;
}

Instant RunBook::oldest_due(uint32_t transaction) const {
  const auto& open = lanes_[transaction].open;
  return open.empty() ? kNever : open.front()->due;
}

RunPtr RunBook::show(Run& run) {
  if (run.shown) return run.shown;
  auto record = std::make_shared<RunRecord>();
  record->id = run.id;
  record->marker = run.tokens.marker;
  record->traceparent = run.tokens.traceparent(0);
  record->origin = run.origin;
  record->due = run.due;
  record->started = run.started;
  record->verdict = run.verdict;
  if (run.verdict) record->decided = run.decided;
  if (run.verdict == RunVerdict::excluded) record->would_be = verdict_of(run);
  record->closed = run.closed;
  record->stages.reserve(run.stages.size());
  for (const Stage& stage : run.stages) {
    record->stages.push_back(stage.record);
    record->stages.back().waits_for_sight = stage.waits_for_sight;
  }
  record->finally.reserve(run.finally.size());
  for (const FinalStep& step : run.finally) record->finally.push_back(step.record);
  record->captures = run.captures;
  run.shown = record;
  return record;
}

RunList RunBook::list() {
  RunList all;
  for (Lane& lane : lanes_) {
    RunList::Part open;
    open.reserve(std::min(lane.open_runs, kMostShownOpen));
    for (auto run = lane.open.rbegin(); run != lane.open.rend() && open.size() < kMostShownOpen; ++run) {
      if (*run) open.push_back(show(**run));
    }
    if (!open.empty()) all.add(std::make_shared<const RunList::Part>(std::move(open)));
    if (!lane.shown) lane.shown = std::make_shared<const RunList::Part>(lane.kept.begin(), lane.kept.end());
    all.add(lane.shown);
  }
  return all;
}

}  // namespace slosonde::engine
