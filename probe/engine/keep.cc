#include "probe/engine/keep.h"

#include <algorithm>

#include "probe/base/bytes.h"
#include "probe/engine/run_codec.h"
#include "probe/engine/sli_definition.h"

namespace slosonde::engine {

namespace {

// What is further in the future was written before the wall clock was set back: processes know of each other's time by
// nothing else.
constexpr Duration kClockSlack = std::chrono::seconds(1);

std::vector<TimeSpan> spans_of(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<TimeSpan> spans;
  for (uint64_t left = in.number(Coverage::kMost); left > 0; --left) {
    const Instant from = in.instant();
    spans.push_back({from, from + in.duration()});
  }
  return in.ended_well() ? spans : std::vector<TimeSpan>();
}

bool is_of_the_future(const store::Batch& kept, const SliBook& slis, Instant now) {
  const auto later = [&](Instant t) { return t > now + kClockSlack; };
  // Of SLIs that nothing uses any more, the time may be one that was wrong long ago.
  Instant used = Instant::min();
  for (const store::KeptSli& one : kept.slis) {
    if (slis.uses(one.definition)) used = std::max(used, one.used);
  }
  return later(used) || std::ranges::any_of(kept.watches, [&](const store::KeptWatch& one) {
           return std::ranges::any_of(spans_of(one.coverage), [&](const TimeSpan& span) { return later(span.to); });
         });
}

// By another clock nobody can say what became of the run.
void give_up(Run& run, Instant now) {
  const Error stepped{ErrorCode::internal,
                      "the wall clock was set while the run was in flight and the probe was not running"};
  for (Stage& stage : run.stages) {
    stage.attempt_running = false;
    if (stage.decided()) continue;
    stage.report_fault(stepped, now);
  }
}

// The attempts that ran when the process ended have no result: what they did nobody knows.
void cut_off(Run& run, const TransactionPlan& plan, Instant now) {
  const Error stopped{ErrorCode::internal, "the probe itself was stopped while it waited for the answer"};
  for (size_t i = 0; i < run.stages.size(); ++i) {
    Stage& stage = run.stages[i];
    if (!stage.attempt_running) continue;
    stage.attempt_running = false;
    stage.record.error = stopped;
    if (plan.stages[i].mode == StageMode::polled) {
      stage.answered = stage.last_fault = true;
      stage.last_valid = false;
      stage.next_start = now;
    } else {
      stage.report_fault(stopped, now);
    }
  }
}

// What a schedule is kept under: another interval begins another one.
std::string grid_of(const TransactionPlan& plan) {
  return plan.name + " every " + format_duration(plan.every);
}

std::string coverage_bytes(const Coverage& coverage) {
  ByteWriter out;
  out.put(uint64_t{coverage.size()});
  for (const TimeSpan& span : coverage.spans()) {
    out.put(span.from);
    out.put(span.to - span.from);
  }
  return out.bytes();
}

}  // namespace

Keep::Keep(const Plan& plan, Schedule& schedule, RunMarkers& markers, RunBook& runs, Sight& sight, SliBook& slis,
           uint64_t epoch)
    : plan_(plan),
      schedule_(schedule),
      markers_(markers),
      runs_(runs),
      sight_(sight),
      slis_(slis),
      epoch_(epoch),
      latencies_(plan.transactions.size()),
      told_slots_(plan.transactions.size()) {
  for (const SloPlan& slo : plan.slos) {
    if (slo.faster_than) latencies_[slo.transaction].push_back(sli_definition(plan, slo));
  }
  runs_.keep_changes();
  slis_.keep_changes();
}

store::RunKey Keep::key_of(const RunId& run) const {
  const ledger::MarkerId id = markers_.id(run);
  return {id.stream, id.epoch, id.seq};
}

Keep::Restored Keep::restore(const store::Batch& kept, Instant now, bool clock_stepped) {
  clock_stepped = clock_stepped || is_of_the_future(kept, slis_, now);
  Restored restored;
  restore_counts(kept, now, restored);
  restore_runs(kept, now, clock_stepped, restored);
  if (!clock_stepped) restore_sight(kept);
  return restored;
}

void Keep::restore_counts(const store::Batch& kept, Instant now, Restored& restored) {
  // The histories go on from where the slots do, so that what was missed since finds its place in them.
  std::vector<Instant> at(plan_.transactions.size(), now);
  for (uint32_t t = 0; t < plan_.transactions.size(); ++t) {
    const auto is_it = [&](const store::KeptSchedule& one) {
      return one.stream == markers_.stream(t) && one.definition == grid_of(plan_.transactions[t]);
    };
    const auto found = std::find_if(kept.schedules.begin(), kept.schedules.end(), is_it);
    if (found == kept.schedules.end()) continue;
    const MissedSlots missed = schedule_.resume(t, found->next_slot, now);
    if (missed.count == 0) continue;
    at[t] = missed.first;
    restored.missed.emplace_back(t, missed);
  }
  for (auto& [slo, why] : slis_.restore(kept, at, now)) {
    restored.notices.push_back({Notice::Kind::history_anew, plan_.slos[slo].name, std::move(why)});
  }
}

void Keep::restore_runs(const store::Batch& kept, Instant now, bool clock_stepped, Restored& restored) {
  std::vector<uint64_t> dropped(plan_.transactions.size());
  for (const store::KeptRun& one : kept.runs) {
    const ledger::MarkerId marker{one.key.stream, one.key.epoch, one.key.seq};
    const auto transaction = markers_.transaction_of(marker);
    if (!transaction) continue;  // the configuration has no such transaction any more
    const TransactionPlan& plan = plan_.transactions[*transaction];
    auto run = decode(one.record, plan, latencies_[*transaction]);
    if (!run || run->due > now + kClockSlack) {
      restored.dropped.push_back(this->dropped(*transaction, one.record));
      if (!restored.dropped.back().decided) ++dropped[*transaction];
      continue;
    }
    if (clock_stepped) {
      give_up(*run, now);
    } else {
      cut_off(*run, plan, now);
    }
    Run& adopted = runs_.adopt(*transaction, std::move(*run));
    markers_.adopt(adopted.id, marker);
    adopted.tokens = markers_.tokens(adopted.id);
    restored.runs.push_back(&adopted);
  }
  for (uint32_t t = 0; t < dropped.size(); ++t) {
    if (dropped[t] == 0) continue;
    restored.notices.push_back({Notice::Kind::runs_dropped, plan_.transactions[t].name,
                                std::to_string(dropped[t]) +
                                    " runs in flight were not taken over, and are probe_fault: the transaction's "
                                    "stages have changed, or the clock was set back"});
  }
}

// Each slot has its verdict once. Where the bytes cannot be read at all, none is taken to have been counted before.
DroppedRun Keep::dropped(uint32_t transaction, std::string_view record) const {
  const auto head = decode_head(record);
  const auto owes = [&](const std::vector<std::string>& open, const std::string& name) {
    return !head || std::ranges::find(open, name) != open.end();
  };
  const std::vector<std::string> none;
  DroppedRun made;
  made.transaction = transaction;
  if (head) made.due = head->due;
  made.decided = head && head->decided;
  const auto& stages = plan_.transactions[transaction].stages;
  for (size_t i = 0; i < stages.size(); ++i) {
    if (owes(head ? head->open_stages : none, stages[i].name)) made.open_stages.push_back(i);
  }
  const auto& latencies = latencies_[transaction];
  for (size_t k = 0; k < latencies.size(); ++k) {
    if (owes(head ? head->open_latencies : none, latencies[k])) made.open_latencies.push_back(k);
  }
  return made;
}

void Keep::restore_sight(const store::Batch& kept) {
  for (size_t w = 0; w < plan_.watches.size(); ++w) {
    const auto is_it = [&](const store::KeptWatch& one) { return one.definition == plan_.watches[w].definition; };
    const auto found = std::find_if(kept.watches.begin(), kept.watches.end(), is_it);
    if (found == kept.watches.end()) continue;
    for (const TimeSpan& span : spans_of(found->coverage)) sight_.restore(w, span.from, span.to);
  }
}

store::Batch Keep::take_changes(bool whole) {
  store::Batch batch;
  batch.whole = whole;
  if (whole) batch.epoch = epoch_;
  slis_.take_changes(whole, batch);
  take_runs(whole, batch);
  take_schedules(whole, batch);
  take_coverage(batch);
  return batch;
}

void Keep::take_runs(bool whole, store::Batch& batch) {
  const RunBook::Changes changes = whole ? runs_.take_all() : runs_.take_changes();
  batch.runs.reserve(changes.open.size() + changes.closed.size());
  for (const Run* const run : changes.open) {
    const uint32_t t = run->id.transaction;
    batch.runs.push_back({key_of(run->id), encode(*run, plan_.transactions[t], latencies_[t])});
  }
  for (const RunId& run : changes.closed) {
    batch.runs.push_back({key_of(run), {}});
    markers_.closed(run);
  }
}

void Keep::take_schedules(bool whole, store::Batch& batch) {
  for (uint32_t t = 0; t < plan_.transactions.size(); ++t) {
    const auto next = schedule_.resume_at(t);
    if (!next || (!whole && *next == told_slots_[t])) continue;
    told_slots_[t] = *next;
    batch.schedules.push_back({markers_.stream(t), grid_of(plan_.transactions[t]), *next});
  }
}

void Keep::take_coverage(store::Batch& batch) {
  for (size_t w = 0; w < plan_.watches.size(); ++w) {
    batch.watches.push_back({plan_.watches[w].definition, {}, coverage_bytes(sight_.coverage(w))});
  }
}

}  // namespace slosonde::engine
