#include "tests/simulation/day/ledger.h"

#include <algorithm>
#include <utility>

namespace slosonde::day {

namespace {

using engine::RunVerdict;
using engine::StageMode;
using std::chrono::seconds;

std::string text_of(const Tally& tally) {
  std::string text;
  for (const uint64_t n : tally) text += (text.empty() ? "" : "/") + std::to_string(n);
  return text;
}

constexpr Duration kShownAfter = std::chrono::seconds(2);  // a view is renewed every second

uint64_t sum(const Tally& tally) {
  uint64_t all = 0;
  for (const uint64_t n : tally) all += n;
  return all;
}

bool is_open(const engine::RunRecord& run, const std::optional<size_t>& stage) {
  if (!stage) return !run.verdict;
  return !run.stages[*stage].verdict && !run.stages[*stage].bad;
}

}  // namespace

Tally tally_of(const engine::SloStatus& slo) {
  const engine::WindowStatus& all = slo.period;
  return {all.good, all.bad, all.unjudged.blind, all.unjudged.probe_fault, all.unjudged.missed, all.unjudged.excluded};
}

Ledger::Ledger(const Terms& terms, Pipeline& pipeline)
    : terms_(terms),
      pipeline_(pipeline),
      safe_(terms.plan->slos.size()),
      base_(terms.plan->slos.size()),
      suspended_(terms.plan->transactions.size()),
      phase_(terms.plan->transactions.size()) {}

void Ledger::fail(std::string text) {
  if (failure_.empty()) failure_ = std::move(text);
}

void Ledger::mix(std::string_view text, uint64_t number) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  digest_ += (hash ^ number) * 0x100000001b3;  // in whatever order they are seen
}

void Ledger::begins(const engine::Snapshot& snapshot, const Line& line, bool anew, bool clock_set) {
  if (!gaps_.empty()) {
    gaps_.back().to = line.now();
    gaps_.back().clock_set = clock_set;
  }
  for (size_t s = 0; s < safe_.size(); ++s) {
    const Tally counts = tally_of(snapshot.slos[s]);
    for (size_t k = 0; k < kKinds; ++k) {
      if (counts[k] >= safe_[s][k]) continue;
      fail("process " + std::to_string(line.life) + " begins with " + text_of(counts) + " events of " +
           terms_.plan->slos[s].name + ", and " + text_of(safe_[s]) + " were committed");
    }
    mix("begins", sum(counts));
    // A clock that was set back gives the schedule slots that it has had.
    if (anew || clock_set) base_[s].reset();
  }
  for (size_t t = 0; t < suspended_.size(); ++t) {
    if (suspended_[t] && *suspended_[t] != snapshot.transactions[t].suspended_since.has_value()) {
      fail("an acknowledged command was lost: " + terms_.plan->transactions[t].name + " is " +
           (*suspended_[t] ? "not suspended any more" : "suspended again"));
    }
  }
}

void Ledger::look(const engine::Snapshot& snapshot, const Line& line) {
  for (const engine::RunPtr& run : snapshot.runs) judge(*run, line);
  Said said{snapshot.at, {}};
  for (const engine::SloStatus& slo : snapshot.slos) said.counts.push_back(tally_of(slo));
  said_.push_back(std::move(said));
  note_committed(snapshot);
  if (snapshot.state->moved_aside > 0) fail("the state file was moved aside: " + snapshot.state->last_aside);
  // One that is stopping leaves what comes to the next.
  if (!snapshot.draining) count_slots(snapshot);
  if (!pipeline_.complaint().empty()) fail(pipeline_.complaint());
}

void Ledger::note_committed(const engine::Snapshot& snapshot) {
  while (!said_.empty() && snapshot.state->committed_to && said_.front().at < *snapshot.state->committed_to) {
    safe_ = std::move(said_.front().counts);
    said_.pop_front();
  }
}

void Ledger::ends(const engine::Snapshot& snapshot, const Line& line) {
  note_committed(snapshot);
  said_.clear();
  const auto& committed = snapshot.state->committed_to;
  gaps_.push_back({committed ? *committed - line.offset : Instant::min(), line.now(), false});
}

void Ledger::total(const engine::Snapshot& snapshot, const Line& line) {
  std::vector<std::array<uint64_t, 2>> most(terms_.plan->transactions.size());
  for (const auto& [marker, sent] : pipeline_.all()) {
    most[sent.transaction][0] += sent.broken ? 0 : 1;
    most[sent.transaction][1] += may_be_bad(sent, line) ? 1 : 0;
  }
  for (size_t s = 0; s < base_.size(); ++s) {
    const engine::SloPlan& slo = terms_.plan->slos[s];
    if (slo.stage) continue;
    const Tally counts = tally_of(snapshot.slos[s]);
    for (size_t k = 0; k < 2; ++k) {
      if (counts[k] <= most[slo.transaction][k]) continue;
      fail(slo.name + " ends with " + text_of(counts) + " events, of which at most " +
           std::to_string(most[slo.transaction][k]) + (k == 0 ? " can be good" : " can be bad"));
    }
  }
}

void Ledger::acknowledged(const engine::Snapshot& snapshot, size_t transaction, bool on, Instant taken,
                          bool disk_is_full) {
  const auto& committed = snapshot.state->committed_to;
  if (committed && *committed >= taken) {
    suspended_[transaction] = on;
  } else if (!disk_is_full) {
    fail("a command was acknowledged before it was committed");
  }
}

void Ledger::judge(const engine::RunRecord& run, const Line& line) {
  Sent* const sent = pipeline_.find(run.marker);
  if (sent == nullptr) return fail("a run is shown that has sent nothing: " + run.marker);
  const Duration every = terms_.plan->transactions[sent->transaction].every;
  const Duration phase = sent->due.time_since_epoch() % every;
  if (phase_[sent->transaction].value_or(phase) != phase) fail("run " + run.marker + " is due beside its grid");
  phase_[sent->transaction] = phase;
  if (!run.verdict) return;
  // What was decided just before a process ends may be in its last view or not: that is up to the writer's thread.
  if (sent->mixed_in != line.life && *run.decided + kShownAfter <= line.now()) {
    sent->mixed_in = line.life;
    mix(run.marker, static_cast<uint64_t>(*run.verdict) + static_cast<uint64_t>(unix_ns(*run.decided)));
  }
  if (sent->judged_in == line.life) {
    if (sent->verdict != run.verdict) fail("run " + run.marker + " was decided twice");
    return;
  }
  sent->judged_in = line.life;
  sent->verdict = run.verdict;
  ++judged_;
  ++verdicts_[static_cast<size_t>(*run.verdict)];
  const std::string subject = "run " + run.marker + " of " + terms_.plan->transactions[sent->transaction].name +
                              ", due " + format_utc(run.due) + ", is " + std::string(name(*run.verdict));
  if (*run.verdict == RunVerdict::good && sent->broken)
    return fail(subject + story(*sent) + ", and its pipeline failed");
  if (*run.verdict == RunVerdict::bad && !may_be_bad(*sent, line)) {
    return fail(subject + story(*sent) + ", and its pipeline did all in time");
  }
  if (!has_one_verdict(*sent, line)) return;
  ++exact_;
  carried_ += sent->life != line.life ? 1 : 0;
  const RunVerdict right = sent->broken ? RunVerdict::bad : RunVerdict::good;
  if (*run.verdict != right)
    fail(subject + story(*sent) + ", and nothing kept the probe from seeing that it was " + std::string(name(right)));
}

// What the pipeline did with it, from when it was due.
std::string Ledger::story(const Sent& sent) const {
  const auto after = [&](Instant t) { return format_duration(t - (sent.due - sent.offset)); };
  std::string text = " (process " + std::to_string(sent.life) + "; answered ";
  text += sent.answered ? "after " + after(*sent.answered) : "never";
  for (size_t s = 1; s < sent.arrives.size(); ++s) {
    text += ", stage " + std::to_string(s) + " shows ";
    text += sent.arrives[s] ? "after " + after(*sent.arrives[s]) : "never";
    text += " of " + after(sent.limit(terms_.plan->transactions[sent.transaction].stages[s]));
  }
  return text + ")";
}

bool Ledger::may_be_bad(const Sent& sent, const Line& line) const {
  if (sent.spoilt) return true;
  const Instant due = sent.due - sent.offset;
  return std::ranges::any_of(terms_.plan->transactions[sent.transaction].stages, [&](const engine::StagePlan& stage) {
    return stage.mode == StageMode::watched && pipeline_.failed(stage.watch, due, line.now());
  });
}

// Nothing was on the edge, and nothing out of sight.
bool Ledger::has_one_verdict(const Sent& sent, const Line& line) {
  if (sent.unseen || sent.broken != sent.spoilt) return false;
  const Instant due = sent.due - sent.offset;
  for (const engine::StagePlan& stage : terms_.plan->transactions[sent.transaction].stages) {
    if (stage.mode == StageMode::watched && pipeline_.disturbed(stage.watch, due, line.now())) return false;
  }
  return sent.life == line.life || carried_over(sent, line);
}

// The answer was committed, and all else is in topics that say when things arrived, which are read in time.
bool Ledger::carried_over(const Sent& sent, const Line& line) const {
  const auto& stages = terms_.plan->transactions[sent.transaction].stages;
  const Gap& first = gaps_[static_cast<size_t>(sent.life)];
  if (!sent.answered || *sent.answered >= first.known_to) return false;
  const Instant latest = sent.limit(stages.back()) + terms_.plan->settle - seconds(5);
  for (auto n = static_cast<size_t>(sent.life); n < static_cast<size_t>(line.life); ++n) {
    if (gaps_[n].clock_set || gaps_[n].to > latest) return false;
  }
  return std::all_of(stages.begin() + 1, stages.end(), [&](const engine::StagePlan& stage) {
    return stage.mode == StageMode::watched && terms_.places[stage.watch].reads_back &&
           terms_.places[stage.watch].exact;
  });
}

void Ledger::count_slots(const engine::Snapshot& snapshot) {
  for (size_t s = 0; s < base_.size(); ++s) {
    const engine::SloPlan& slo = terms_.plan->slos[s];
    if (slo.faster_than || !phase_[slo.transaction]) continue;        // a stage that is skipped is no event for latency
    if (snapshot.transactions[slo.transaction].next_due == kNever) {  // it waits for its places, and no longer
      if (snapshot.at > snapshot.started + terms_.plan->settle + seconds(2))
        fail(slo.name + ": no slots come any more");
      continue;
    }
    int64_t open = 0;
    for (const engine::RunPtr& run : snapshot.runs) {
      if (run->id.transaction == slo.transaction && is_open(*run, slo.stage)) ++open;
    }
    const Duration every = terms_.plan->transactions[slo.transaction].every;
    const int64_t come = (snapshot.at.time_since_epoch() - *phase_[slo.transaction]) / every;
    const auto counted = static_cast<int64_t>(sum(tally_of(snapshot.slos[s])));
    if (!base_[s]) base_[s] = come - counted - open;
    if (come - *base_[s] != counted + open) {
      fail(slo.name + " at " + format_utc(snapshot.at) + ": " + std::to_string(come - *base_[s]) +
           " slots have come, " + std::to_string(counted) + " are counted and " + std::to_string(open) + " open");
    }
  }
}

}  // namespace slosonde::day
