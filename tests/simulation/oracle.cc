#include "tests/simulation/oracle.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <tuple>
#include <utility>

namespace slosonde::simulation {

namespace {

constexpr Time kGrace = 20 * kMillisecond;  // a check's result may come in this much after its limit
constexpr Time kGrain = 10 * kMillisecond;  // slots this late are no sign of a stall
constexpr size_t kItemsTold = 4;            // copies of a marker that are told apart

bool is_bad(Verdict v) {
  return v == Verdict::late || v == Verdict::lost || v == Verdict::corrupt || v == Verdict::failed;
}

uint64_t& cell(SloCounts& counts, int kind) {
  switch (kind) {
    case 0:
      return counts.good;
    case 1:
      return counts.bad;
    case 2:
      return counts.blind;
    case 3:
      return counts.probe_fault;
    default:
      return counts.missed;
  }
}

}  // namespace

Oracle::Oracle(const Terms& terms, const Facts& facts)
    : terms_(terms),
      facts_(facts),
      counts_(terms.transactions.size()),
      events_(terms.slos.size()),
      runs_(terms.transactions.size()) {
  for (size_t t = 0; t < counts_.size(); ++t) {
    counts_[t].runs.assign(6, 0);
    counts_[t].stages.resize(terms.transactions[t].stages.size());
    for (StageCounts& stage : counts_[t].stages) {
      stage.verdicts.assign(7, 0);
      stage.sightings.assign(8, 0);
    }
  }
  for (const ResultFact& result : facts.results) results_[{result.transaction, result.seq}] = &result;
  for (const EvidenceFact& one : facts.evidence) {
    if (one.owner == Owner::this_run) evidence_[{one.transaction, one.seq}].push_back(&one);
  }
  for (uint32_t t = 0; t < counts_.size(); ++t) walk_grid(t);
  for (const auto& runs : runs_) {
    for (const Run& run : runs) count(run);
  }
  count_evidence();
}

Time Oracle::turn_at(Time t) const {
  const auto found = std::lower_bound(facts_.turns.begin(), facts_.turns.end(), t);
  if (found == facts_.turns.end()) std::abort();  // the simulation ends only when all is decided
  return *found;
}

bool Oracle::before(const Fate& a, const Fate& b) const {
  return std::pair(turn_of(a), a.q) < std::pair(turn_of(b), b.q);
}

// Which slots were started and which were missed.
void Oracle::walk_grid(uint32_t transaction) {
  const TransactionTerms& terms = terms_.transactions[transaction];
  std::vector<Run>& runs = runs_[transaction];
  for (Time slot = facts_.first_due[transaction];; slot += terms.every) {
    if (slot >= facts_.drained) break;
    const Time turn = turn_at(slot);
    if (turn >= facts_.drained) break;
    const Time lateness = turn - slot;
    const bool newest = slot + terms.every > turn;
    bool starts = lateness <= kGrain || (newest && lateness <= terms_.max_lateness);
    uint64_t in_flight = 0;
    for (size_t back = runs.size(); back > 0 && runs.size() - back < 200; --back) {
      const Run& earlier = runs[back - 1];
      const bool freed = earlier.place_turn < turn || (earlier.place_turn == turn && earlier.place_q <= slot);
      if (!freed) ++in_flight;
    }
    starts = starts && in_flight < terms.max_in_flight;
    if (starts) {
      Run run;
      run.transaction = transaction;
      run.seq = runs.size() + 1;
      run.due = slot;
      run.started = turn;
      judge(run);
      runs.push_back(std::move(run));
      continue;
    }
    ++counts_[transaction].runs[4];
    for (size_t s = 0; s < terms_.slos.size(); ++s) {
      if (terms_.slos[s].transaction == transaction) add(s, slot, turn, 4);
    }
  }
}

void Oracle::judge(Run& run) {
  const TransactionTerms& terms = terms_.transactions[run.transaction];
  run.fates.push_back(act(run));
  const Fate first = run.fates[0];
  for (size_t i = 1; i < terms.stages.size(); ++i) {
    Fate fate = watch(run, i);
    if (first.verdict != Verdict::on_time) {
      const bool same_step = turn_of(fate) == turn_of(first) && fate.q == first.q;
      const bool seen_before = before(fate, first) || (same_step && fate.seen && fate.q <= first.at);
      if (!seen_before) {
        const bool fault = first.verdict == Verdict::unseen;
        fate = Fate{};
        fate.decided = true;
        fate.verdict = fault ? Verdict::unseen : Verdict::skipped;
        fate.fault = fault;
        fate.at = first.at;
        fate.q = first.q;
        fate.known = first.known;
      }
    }
    run.fates.push_back(fate);
  }
  close(run);
}

Oracle::Fate Oracle::act(const Run& run) const {
  const StageTerms& terms = terms_.transactions[run.transaction].stages[0];
  const Time limit = run.due + terms.within;
  const Time starved = std::max(terms_.max_lateness, 100 * kMillisecond);
  Fate fate;
  fate.decided = true;
  const auto found = results_.find({run.transaction, run.seq});
  if (found != results_.end() && found->second->fed <= turn_at(limit + kGrace)) {
    const ResultFact& result = *found->second;
    fate.known = result.fed;
    fate.at = fate.q = std::min(result.received, limit);
    if (result.answer == Answer::held && result.received <= limit) {
      fate.verdict = Verdict::on_time;
      fate.seen = true;
      fate.lo = result.sent;
      fate.hi = result.received;
    } else if (result.answer == Answer::own_fault || (result.received > limit && result.fed - limit > starved)) {
      fate.verdict = Verdict::unseen;
      fate.fault = true;
    } else {
      fate.verdict = Verdict::failed;
    }
    return fate;
  }
  fate.at = limit;
  fate.q = limit + kGrace;
  const bool held_up = turn_at(fate.q) - fate.q > starved;
  fate.verdict = held_up ? Verdict::unseen : Verdict::failed;
  fate.fault = held_up;
  return fate;
}

const EvidenceFact* Oracle::first_evidence(const Run& run, size_t stage) const {
  const auto found = evidence_.find({run.transaction, run.seq});
  if (found == evidence_.end()) return nullptr;
  for (const EvidenceFact* one : found->second) {
    if (one->watch == terms_.transactions[run.transaction].stages[stage].watch) return one;
  }
  return nullptr;
}

Oracle::Fate Oracle::watch(const Run& run, size_t stage) const {
  const StageTerms& terms = terms_.transactions[run.transaction].stages[stage];
  const Time limit = run.due + terms.within;
  const Time judged = turn_at(limit);
  const EvidenceFact* const first = first_evidence(run, stage);
  if (first && first->fed <= judged && first->hi <= limit) return by_interval(run, stage, *first, first->hi);
  Fate fate;
  fate.decided = true;
  fate.at = fate.q = limit;
  if (proven_by(terms.watch, run.due, limit, judged)) {
    fate.verdict = Verdict::lost;
  } else if (sight_at(terms.watch, judged) == Sight::place_gone) {
    fate.verdict = Verdict::failed;
  } else {
    wait_for_sight(run, stage, first, judged, fate);
  }
  return fate;
}

// Past the limit, and nobody could say: what came first decides.
void Oracle::wait_for_sight(const Run& run, size_t stage, const EvidenceFact* first, Time judged, Fate& fate) const {
  const StageTerms& terms = terms_.transactions[run.transaction].stages[stage];
  const Time limit = run.due + terms.within;
  enum { evidence, covered, gone, timeout };
  std::vector<std::pair<Time, int>> next = {{limit + terms_.settle, timeout}};
  if (first) next.emplace_back(first->fed <= judged ? first->hi : first->fed, evidence);
  if (const Time at = proven_at(terms.watch, run.due, limit); at > judged) next.emplace_back(at, covered);
  if (const Time at = place_gone_after(terms.watch, judged); at >= 0) next.emplace_back(at, gone);
  const auto [q, what] = *std::min_element(next.begin(), next.end());
  fate.at = fate.q = q;
  switch (what) {
    case evidence:
      fate = by_interval(run, stage, *first, q);
      break;
    case covered:
      fate.verdict = Verdict::lost;
      break;
    case gone:
      fate.verdict = Verdict::failed;
      break;
    default:
      fate.verdict = Verdict::unseen;
      break;
  }
}

Oracle::Fate Oracle::by_interval(const Run& run, size_t stage, const EvidenceFact& evidence, Time q) const {
  const StageTerms& terms = terms_.transactions[run.transaction].stages[stage];
  const Time limit = run.due + terms.within;
  Fate fate;
  fate.decided = fate.seen = true;
  fate.lo = evidence.lo;
  fate.hi = evidence.hi;
  fate.at = fate.q = q;
  fate.known = evidence.fed;
  if (evidence.corrupt) {
    fate.verdict = Verdict::corrupt;
  } else if (evidence.hi <= limit) {
    fate.verdict = Verdict::on_time;
  } else if (evidence.lo > limit || proven_by(terms.watch, run.due, limit, evidence.fed - 1)) {
    fate.verdict = Verdict::late;
  } else {
    fate.verdict = Verdict::unseen;
  }
  return fate;
}

void Oracle::close(Run& run) {
  const TransactionTerms& terms = terms_.transactions[run.transaction];
  std::pair<Time, Time> decided{0, 0}, place{0, 0};
  Time last_limit = run.due;
  run.decided_at = run.due;
  bool watched = false;
  for (size_t i = 0; i < run.fates.size(); ++i) {
    const Fate& fate = run.fates[i];
    const Time limit = run.due + terms.stages[i].within;
    const std::pair step(turn_of(fate), fate.q);
    decided = std::max(decided, step);
    place = std::max(place, terms.stages[i].watched ? std::min(step, std::pair(turn_at(limit), limit)) : step);
    run.decided_at = std::max(run.decided_at, fate.at);
    last_limit = std::max(last_limit, limit);
    watched = watched || terms.stages[i].watched;
  }
  std::tie(run.decided_turn, run.decided_q) = decided;
  std::tie(run.place_turn, run.place_q) = place;
  const Time close_at = watched ? std::max(run.decided_at, last_limit + terms.linger) : run.decided_at;
  run.close_q = std::max(close_at, run.decided_q);
  run.close_turn = std::max(run.decided_turn, turn_at(close_at));
  // What was not there at its limit and came before the run was closed is late.
  for (size_t i = 1; i < run.fates.size(); ++i) {
    Fate& fate = run.fates[i];
    if (fate.verdict != Verdict::lost) continue;
    const EvidenceFact* const first = first_evidence(run, i);
    if (!first) continue;
    const Time turn = turn_at(first->fed);
    if (turn > run.close_turn || (turn == run.close_turn && first->hi > run.close_q)) continue;
    fate.verdict = Verdict::late;
    fate.seen = true;
    fate.lo = first->lo;
    fate.hi = first->hi;
  }
}

void Oracle::count(const Run& run) {
  TransactionCounts& counts = counts_[run.transaction];
  bool bad = false, fault = false, unseen = false;
  const auto judged_seen = [&](size_t i) {
    const Verdict v = run.fates[i].verdict;
    return v == Verdict::on_time || v == Verdict::late || v == Verdict::corrupt;
  };
  for (size_t i = 0; i < run.fates.size(); ++i) {
    const Fate& fate = run.fates[i];
    StageCounts& stage = counts.stages[i];
    ++stage.verdicts[static_cast<size_t>(fate.verdict)];
    if (fate.verdict != Verdict::skipped && fate.verdict != Verdict::unseen) ++stage.latencies;
    if (judged_seen(i)) stage.latency_sum += static_cast<double>(fate.hi - run.due) / 1e9;
    if (judged_seen(i) && (i == 0 || judged_seen(i - 1))) {
      const Time from = i == 0 ? run.due : run.fates[i - 1].hi;
      ++stage.hops;
      stage.hop_sum += static_cast<double>(std::max(fate.hi - from, Time{0})) / 1e9;
    }
    bool out_of_order = false;
    for (size_t j = 0; j < i; ++j) {
      out_of_order = out_of_order || (judged_seen(i) && judged_seen(j) && fate.hi < run.fates[j].lo);
    }
    if (out_of_order) ++stage.sightings[3];
    bad = bad || is_bad(fate.verdict);
    fault = fault || fate.fault;
    unseen = unseen || fate.verdict == Verdict::unseen;
  }
  const int verdict = bad ? 1 : fault ? 3 : unseen ? 2 : 0;
  ++counts.runs[static_cast<size_t>(verdict)];
  // runs are counted as good, bad, blind, probe_fault: the same numbers as SLO events
  for (size_t s = 0; s < terms_.slos.size(); ++s) {
    const SloTerms& slo = terms_.slos[s];
    if (slo.transaction != run.transaction) continue;
    if (slo.faster_than > 0) {
      count_latency_slo(run, s);
    } else if (slo.stage < 0) {
      add(s, run.decided_at, run.decided_turn, verdict);
    } else {
      const Fate& fate = run.fates[static_cast<size_t>(slo.stage)];
      const int kind = fate.verdict == Verdict::on_time ? 0 : fate.verdict != Verdict::unseen ? 1 : fate.fault ? 3 : 2;
      add(s, fate.at, turn_of(fate), kind);
    }
  }
}

void Oracle::count_latency_slo(const Run& run, size_t s) {
  const SloTerms& slo = terms_.slos[s];
  const auto stage = static_cast<size_t>(slo.stage);
  const Fate& fate = run.fates[stage];
  const size_t watch = terms_.transactions[run.transaction].stages[stage].watch;
  const Time fast = run.due + slo.faster_than;
  const Time judged = turn_at(fast);
  const std::pair ended(turn_of(fate), fate.q);
  const bool ended_first = ended <= std::pair(judged, fast);
  Time over = fast;  // when it was sure that it had not been fast
  if (!ended_first) {
    if (proven_by(watch, run.due, fast, judged) || sight_at(watch, judged) == Sight::place_gone) {
      return add(s, fast, judged, 1);
    }
    Time known = -1;
    if (const Time at = proven_at(watch, run.due, fast); at > judged) known = at;
    if (const Time at = place_gone_after(watch, judged); at >= 0 && (known < 0 || at < known)) known = at;
    if (known >= 0 && std::pair(turn_at(known), known) < ended) return add(s, known, turn_at(known), 1);
    over = fate.q;
  }
  const Time turn = turn_of(fate);
  if (fate.verdict == Verdict::skipped) return;
  if (fate.verdict == Verdict::unseen) return add(s, fate.at, turn, fate.fault ? 3 : 2);
  if (fate.seen && fate.hi <= fast) return add(s, fate.at, turn, 0);
  const EvidenceFact* const first = first_evidence(run, stage);
  const bool nobody_knows = fate.seen && fate.lo <= fast && !proven_by(watch, run.due, fast, first->fed - 1);
  add(s, nobody_knows ? fate.at : std::min(fate.at, over), turn, nobody_knows ? 2 : 1);
}

void Oracle::count_evidence() {
  struct Copies {
    std::set<uint64_t> items;
    bool any = false;
  };
  std::map<std::tuple<uint32_t, uint64_t, size_t>, Copies> copies;
  for (const EvidenceFact& one : facts_.evidence) {
    if (one.owner == Owner::unreadable) continue;
    for (uint32_t t = 0; t < counts_.size(); ++t) {
      const auto& stages = terms_.transactions[t].stages;
      for (size_t i = 0; i < stages.size(); ++i) {
        if (!stages[i].watched || stages[i].watch != one.watch) continue;
        auto& sightings = counts_[t].stages[i].sightings;
        if (one.owner == Owner::other_key) {
          ++sightings[5];
          continue;
        }
        if (one.transaction != t) continue;
        if (one.owner == Owner::other_epoch) ++sightings[6];
        if (one.owner == Owner::never_sent) ++sightings[7];
        if (one.owner != Owner::this_run) continue;
        const Run& run = runs_[t][one.seq - 1];
        if (run.close_turn < one.fed) {
          ++sightings[6];
          continue;
        }
        Copies& known = copies[{t, one.seq, i}];
        if (known.items.contains(one.item)) continue;
        if (known.items.size() < kItemsTold) known.items.insert(one.item);
        if (std::exchange(known.any, true)) {
          ++sightings[one.corrupt ? 4 : 2];
          continue;
        }
        const bool too_late = turn_at(one.fed) == run.close_turn && one.hi > run.close_q;
        if (too_late) continue;
        ++sightings[one.corrupt ? 4 : one.hi <= run.due + stages[i].within ? 0 : 1];
      }
    }
  }
}

Time Oracle::proven_at(size_t watch, Time from, Time to) const {
  const auto& all = facts_.watches[watch].coverage;
  // Reports are in the order in which they were made, which for their ends is nearly sorted: a gap filled later is not.
  // Those fed before `from` end before it; a gap is filled within minutes.
  const auto begin =
      std::lower_bound(all.begin(), all.end(), from, [](const CoverageFact& one, Time t) { return one.fed < t; });
  std::vector<std::pair<Time, Time>> apart;  // known, and not yet joined to the beginning
  Time reach = from;
  for (auto one = begin; one != all.end() && one->fed <= to + terms_.settle + 5 * kMinute; ++one) {
    if (one->to < from || one->from > to) continue;
    apart.emplace_back(one->from, one->to);
    for (bool joined = true; joined;) {
      joined = false;
      for (size_t i = 0; i < apart.size(); ++i) {
        if (apart[i].first > reach) continue;
        reach = std::max(reach, apart[i].second);
        apart.erase(apart.begin() + static_cast<std::ptrdiff_t>(i));
        joined = true;
        break;
      }
    }
    if (reach >= to) return one->fed;
  }
  return -1;
}

bool Oracle::proven_by(size_t watch, Time from, Time to, Time turn) const {
  const Time at = proven_at(watch, from, to);
  return at >= 0 && at <= turn;
}

Sight Oracle::sight_at(size_t watch, Time turn) const {
  Sight sight = Sight::in_sight;
  for (const SightFact& one : facts_.watches[watch].sight) {
    if (one.fed <= turn) sight = one.sight;
  }
  return sight;
}

Time Oracle::place_gone_after(size_t watch, Time t) const {
  for (const SightFact& one : facts_.watches[watch].sight) {
    if (one.fed > t && one.sight == Sight::place_gone) return one.fed;
  }
  return -1;
}

SloCounts Oracle::slo_total(size_t slo) const {
  SloCounts counts;
  for (const SloEvent& event : events_[slo]) ++cell(counts, event.kind);
  return counts;
}

WindowReading Oracle::window(size_t slo, Time window, Time at, double budget) const {
  const Time slot = window <= 6 * kHour ? 10 * kSecond : kMinute;
  const Time start = at - at % slot - window;
  WindowReading reading{at, slo, window, {}, -1};
  for (const SloEvent& event : events_[slo]) {
    if (event.turn <= at && event.at >= start) ++cell(reading.counts, event.kind);
  }
  const auto judged = static_cast<double>(reading.counts.good + reading.counts.bad);
  if (judged > 0) reading.burn_rate = static_cast<double>(reading.counts.bad) / judged / budget;
  return reading;
}

}  // namespace slosonde::simulation
