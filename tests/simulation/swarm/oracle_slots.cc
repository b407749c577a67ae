// Which slots were started and which were missed, and what each is to the SLOs: one after the other, as soon as all is
// known of it for good.
#include <algorithm>

#include "tests/simulation/swarm/oracle.h"

namespace slosonde::swarm {

namespace {

constexpr Time kLeastStarved = 100 * kMillisecond;
constexpr Time kGrain = 10 * kMillisecond;
constexpr uint64_t kAfterRuns = uint64_t{1} << 62;  // among what is due at the same instant, slots come last
constexpr size_t kMostFailures = 20;

}  // namespace

void Oracle::fail(Time at, size_t transaction, std::string text) {
  if (failures_.size() < kMostFailures) failures_.push_back({at, transaction, std::move(text)});
}

// Whether runs need not wait for the watch: it has covered something in this life, or its place is gone.
bool Oracle::watch_ready(size_t watch, int life, Time t) const {
  const WatchFacts& facts = watches_[watch];
  const auto by_then = [&](const auto& one) { return one.life == life && one.fed <= t; };
  if (std::any_of(facts.coverage.begin(), facts.coverage.end(), by_then)) return true;
  const auto last = std::find_if(facts.sight.rbegin(), facts.sight.rend(), by_then);
  return last != facts.sight.rend() && last->sight == Sight::place_gone;
}

// When its slots began in this life: its watches were all ready, or had had their time to be.
std::optional<Time> Oracle::begun(size_t transaction, int life) const {
  const Life& in = lives_[static_cast<size_t>(life)];
  std::vector<size_t> watches;
  for (const StageTerms& stage : scenario_.transactions[transaction].stages) {
    if (stage.mode == Mode::watched) watches.push_back(stage.watch);
  }
  Time begun = watches.empty() ? in.begin : in.begin + scenario_.settle;
  const auto consider = [&](int of, Time t) {
    if (of != life || t >= begun) return;
    if (std::all_of(watches.begin(), watches.end(), [&](size_t watch) { return watch_ready(watch, life, t); }))
      begun = t;
  };
  for (const size_t watch : watches) {
    for (const Covered& one : watches_[watch].coverage) consider(one.life, one.fed);
    for (const Seen& one : watches_[watch].sight) consider(one.life, one.fed);
  }
  if (begun > in.cut) return std::nullopt;
  return begun;
}

// The transaction goes on in the next life: what was due before that began is missed.
void Oracle::settle_life(size_t t) {
  Grid& grid = grids_[t];
  const Time every = scenario_.transactions[t].every;
  const Life& next = lives_[static_cast<size_t>(++grid.life)];
  grid.begun.reset();
  const Step step{grid.life, next.begin, INT64_MIN};
  Time at = next.begin;
  uint64_t missed = 0;
  if (grid.next && *grid.next - next.begin > every) grid.next.reset();  // by another clock it has not been yet
  if (grid.next && *grid.next < next.begin) {
    at = *grid.next;
    missed = static_cast<uint64_t>((next.begin - at + every - 1) / every);
  }
  for (size_t s = 0; s < scenario_.slos.size(); ++s) {
    if (scenario_.slos[s].transaction == t) events_.push_back({step, 0, s, at, 0, RunVerdict::good, false, 0, 0});
  }
  if (missed == 0) return;
  miss(t, step, at, missed);
  *grid.next += every * static_cast<Time>(missed);
}

void Oracle::miss(size_t t, Step step, Time first, uint64_t n) {
  const Time every = scenario_.transactions[t].every;
  for (uint64_t k = 0; k < n;) {
    const auto is_excluded = [&](uint64_t slot) {
      const Time at = first + every * static_cast<Time>(slot);
      return excluded(t, at, at, step.life, step.turn);
    };
    const uint64_t begin = k;
    const bool out = is_excluded(k);
    for (++k; k < n && is_excluded(k) == out;) ++k;
    verdicts_[static_cast<size_t>(out ? RunVerdict::excluded : RunVerdict::missed)] += k - begin;
    for (size_t s = 0; s < scenario_.slos.size(); ++s) {
      if (scenario_.slos[s].transaction != t) continue;
      const Time at = first + every * static_cast<Time>(begin);
      events_.push_back({step, kAfterRuns + ++order_, s, at, every, RunVerdict::missed, out, 0, k - begin});
    }
  }
}

// Whether there was anything to settle.
bool Oracle::settle_slot(size_t t) {
  Grid& grid = grids_[t];
  const TransactionTerms& scenario = scenario_.transactions[t];
  const Life& life = lives_[static_cast<size_t>(grid.life)];
  const auto later = [&] {  // not in this life, if there is another
    if (!life.ended || grid.life + 1 >= lives()) return false;
    if (lives_[static_cast<size_t>(grid.life) + 1].cut == INT64_MIN) return false;  // it may leave nothing
    settle_life(t);
    return true;
  };
  if (!grid.begun) grid.begun = begun(t, grid.life);
  if (!grid.begun) return later();
  if (!grid.next) {
    if (!grid.phase) return later();
    const Time past = (*grid.begun - *grid.phase % scenario.every) % scenario.every;  // since the last one
    grid.next = past == 0 ? *grid.begun : *grid.begun - past + scenario.every;
  }
  const Time slot = *grid.next;
  const auto turn = turn_at(grid.life, std::max(slot, *grid.begun));
  if (!turn || *turn >= life.drained) return later();
  const Step step{grid.life, *turn, slot};
  const Time lateness = *turn - slot, latest = std::min(scenario_.max_lateness, scenario.stages.front().within / 2);
  if (const Time grain = std::min(kGrain, latest); lateness > grain) {
    const Time newest = lateness / scenario.every;
    Time missed = std::min((lateness - grain + scenario.every - 1) / scenario.every, newest);
    if (lateness - scenario.every * newest > latest) missed = newest + 1;
    if (missed > 0) {
      miss(t, step, slot, static_cast<uint64_t>(missed));
      *grid.next += scenario.every * missed;
      return true;
    }
  }
  std::erase_if(grid.places, [&](const Step& place) { return place <= step; });
  const bool wanted = !suspended(t, grid.life, *turn) && grid.places.size() < scenario.max_in_flight;
  const bool started = !grid.runs.empty() && grid.runs.front().life == grid.life && grid.runs.front().due == slot;
  if (started != wanted) {
    fail(slot, t,
         std::string("the slot was ") + (started ? "started" : "not started") + ", with " +
             std::to_string(grid.places.size()) + " runs in flight");
  }
  if (started) {
    if (grid.runs.front().started != *turn) fail(slot, t, "the slot was started at another turn than it could");
    const Time due = std::max(slot, *grid.begun);
    if (!settle_run(t)) return false;
    in_time(step.life, step.turn, due, t, "a run was started");
  } else {
    miss(t, step, slot, 1);
  }
  *grid.next += scenario.every;
  return true;
}

bool Oracle::suspended(size_t t, int life, Time turn) const {
  bool on = false;
  for (const Suspended& one : grids_[t].suspended) {
    if (one.life < life || (one.life == life && one.fed <= turn)) on = one.on;
  }
  return on;
}

bool Oracle::settle_run(size_t t) {
  Grid& grid = grids_[t];
  const RunFacts& run = grid.runs.front();
  auto judged = judge(run);
  if (!judged) return false;
  const Step& decided = judged->decided_step;
  const Time from = std::min(run.due, judged->decided);
  const bool out = excluded(t, from, from + latest_limit(t), decided.life, decided.turn);
  judged->shown = out ? RunVerdict::excluded : judged->verdict;
  grid.places.push_back(judged->place);
  ++settled_;
  if (on_judged) {
    std::string text;
    for (const Fate& fate : judged->fates) {
      text += " verdict " + std::to_string(static_cast<int>(fate.verdict)) + " at +" +
              format_duration(Duration(fate.at - run.due)) + (fate.fault ? " (own fault)" : "") + ';';
    }
    on_judged(run, text);
  }
  count(run, *judged);
  compare(run, *judged);
  grid.runs.pop_front();
  return true;
}

Time Oracle::latest_limit(size_t t) const {
  Time latest = 0;
  for (const StageTerms& stage : scenario_.transactions[t].stages) latest = std::max(latest, stage.within);
  return latest;
}

// All that was going on while somebody had declared that nothing of it counts, from when it was due to its latest
// limit, whenever it was decided.
void Oracle::count(const RunFacts& run, size_t slo, const Step& step, uint64_t order, Time at, RunVerdict kind) {
  const Time from = std::min(run.due, at);
  const bool out = excluded(run.transaction, from, from + latest_limit(run.transaction), step.life, step.turn);
  if (order == kAfterEvidence) order += run.number;
  events_.push_back({step, order, slo, at, 0, kind, out, 0, 1});
}

void Oracle::count(const RunFacts& run, const Judged& judged) {
  ++verdicts_[static_cast<size_t>(judged.shown)];
  for (const Fate& fate : judged.fates) ++stages_[static_cast<size_t>(fate.verdict)];
  uint64_t last = 0;  // of what decided the run
  for (const Fate& fate : judged.fates) {
    if (fate.step == judged.decided_step) last = std::max(last, fate.order);
  }
  for (size_t s = 0; s < scenario_.slos.size(); ++s) {
    const SloTerms& slo = scenario_.slos[s];
    if (slo.transaction != run.transaction) continue;
    if (slo.faster_than > 0) {
      count_latency(run, judged, s);
    } else if (slo.stage < 0) {
      count(run, s, judged.decided_step, last, judged.decided, judged.verdict);
    } else {
      const Fate& fate = judged.fates[static_cast<size_t>(slo.stage)];
      const RunVerdict kind = fate.verdict == Verdict::on_time  ? RunVerdict::good
                              : fate.verdict != Verdict::unseen ? RunVerdict::bad
                              : fate.fault                      ? RunVerdict::probe_fault
                                                                : RunVerdict::blind;
      count(run, s, fate.step, fate.order, fate.at, kind);
    }
  }
}

// Bad as soon as it is sure that the stage was not seen by then; else when the stage is decided.
void Oracle::count_latency(const RunFacts& run, const Judged& judged, size_t s) {
  const SloTerms& slo = scenario_.slos[s];
  const auto index = static_cast<size_t>(slo.stage);
  const Fate& fate = judged.fates[index];
  const StageTerms& stage = scenario_.transactions[run.transaction].stages[index];
  const bool watched = stage.mode == Mode::watched;
  const Time fast = run.due + slo.faster_than;
  const auto add = [&](const Step& step, Time at, RunVerdict kind) {
    count(run, s, step, step == fate.step ? fate.order : kAfterEvidence, at, kind);
  };
  Time over = fast;  // when it was sure
  for (int life = run.life; life <= fate.step.life; ++life) {
    const Time q0 = life == run.life ? fast : std::max(fast, lives_[static_cast<size_t>(life)].begin);
    over = fast;
    const auto judged_at = turn_at(life, q0);
    if (!judged_at) continue;
    const Step asked{life, *judged_at, q0};
    if (fate.step <= asked) break;
    if (!watched && explains_silence(life, *judged_at, run.due, fast)) continue;
    // The answer may have lain before it while it stood still.
    if (!watched && *judged_at - fast > std::max(scenario_.max_lateness, kLeastStarved)) {
      return add(asked, q0, RunVerdict::probe_fault);
    }
    if (!watched || proven_by(stage.watch, run.due, fast, life, *judged_at) ||
        place_gone(stage.watch, life, fast, *judged_at)) {
      return add(asked, fast, RunVerdict::bad);
    }
    std::optional<Time> known;
    if (const auto at = proven(stage.watch, run.due, fast, life); at && at->life == life) known = at->turn;
    if (const auto at = place_gone_after(stage.watch, life, fast, *judged_at); at && (!known || *at < *known))
      known = at;
    if (known) {
      const auto turn = turn_at(life, *known);
      if (turn && Step{life, *turn, *known} < fate.step) return add({life, *turn, *known}, *known, RunVerdict::bad);
    }
    over = fate.step.q;
  }
  if (fate.verdict == Verdict::skipped) return;
  if (fate.verdict == Verdict::unseen && (!fate.seen || fate.fault)) {
    return add(fate.step, fate.at, fate.fault ? RunVerdict::probe_fault : RunVerdict::blind);
  }
  if (fate.verdict == Verdict::unseen) return add(fate.step, fate.at, RunVerdict::blind);
  if (fate.seen && fate.hi <= fast && fate.verdict != Verdict::lost) return add(fate.step, fate.at, RunVerdict::good);
  const bool by_sighting = fate.seen && fate.step.q >= fate.hi;
  if (by_sighting && explains_late(fate.step.life, fate.step.turn, run.due, fast, fate.hi)) {
    return add(fate.step, fate.at, RunVerdict::probe_fault);
  }
  const bool nobody_knows = watched && fate.seen && fate.step.q >= fate.hi && fate.lo <= fast &&
                            !proven_by(stage.watch, run.due, fast, fate.step.life, fate.fed - 1);
  add(fate.step, nobody_knows ? fate.at : std::min(fate.at, over), nobody_knows ? RunVerdict::blind : RunVerdict::bad);
}

// What the core showed of the run when it closed, and the two laws: no fault of the probe makes a run bad, and none of
// the pipeline anything else.
void Oracle::compare(const RunFacts& run, const Judged& judged) {
  const Life& in = lives_[static_cast<size_t>(judged.close.life)];
  if (judged.dropped || judged.never_closed) return;
  const auto is_it = [&](const Closed& one) { return one.life == judged.close.life && one.turn <= in.cut; };
  const auto shown = std::find_if(run.closed.begin(), run.closed.end(), is_it);
  if (shown == run.closed.end()) return fail(run.due, run.transaction, "the run was never closed");
  if (shown->turn != judged.close.turn) fail(run.due, run.transaction, "the run was closed at another time");
  in_time(judged.close.life, judged.close.turn, std::max(judged.close.q, judged.decided_step.turn), run.transaction,
          "a run was closed");
  if (shown->verdict != judged.shown || shown->decided != judged.decided) {
    fail(run.due, run.transaction,
         "the run is verdict " + std::to_string(static_cast<int>(shown->verdict)) + ", decided +" +
             format_duration(Duration(shown->decided - run.due)) + ", should be " +
             std::to_string(static_cast<int>(judged.shown)) + ", +" +
             format_duration(Duration(judged.decided - run.due)));
  }
  for (size_t i = 0; i < judged.fates.size(); ++i) {
    digest_ = (digest_ ^ static_cast<uint64_t>(shown->stage_decided[i])) * 0x100000001b3;
    digest_ = (digest_ ^ static_cast<uint64_t>(shown->stages[i])) * 0x100000001b3;
    if (shown->stages[i] == judged.fates[i].verdict && shown->stage_decided[i] == judged.fates[i].at) continue;
    fail(run.due, run.transaction,
         "stage " + std::to_string(i) + " is verdict " + std::to_string(static_cast<int>(shown->stages[i])) +
             ", decided +" + format_duration(Duration(shown->stage_decided[i] - run.due)) + ", should be " +
             std::to_string(static_cast<int>(judged.fates[i].verdict)) + ", +" +
             format_duration(Duration(judged.fates[i].at - run.due)));
  }
  const auto refused = [&](const Attempt& one) {
    const StageTerms& stage = scenario_.transactions[run.transaction].stages[one.stage];
    return stage.mode == Mode::done && one.answered && one.answer == Answer::failed &&
           one.received <= run.due + stage.within;
  };
  if (judged.shown != RunVerdict::excluded && shown->verdict != RunVerdict::bad &&
      std::ranges::any_of(run.attempts, refused)) {
    fail(run.due, run.transaction, "the run was refused in time, and is not bad");
  }
  if (shown->verdict == RunVerdict::bad && run.pipeline_whole) {
    fail(run.due, run.transaction, "the run is bad, and the pipeline did all it should, in time");
  }
}

}  // namespace slosonde::swarm
