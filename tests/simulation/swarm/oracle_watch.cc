// What became of a stage that waits for what turns up by itself: seen, seen once too often, seen where nothing must be;
// and where nothing was seen, whose fault the silence is.
#include <algorithm>

#include "tests/simulation/swarm/oracle.h"

namespace slosonde::swarm {

const Sighted* Oracle::first_sighted(const RunFacts& run, size_t i) const {
  const size_t watch = scenario_.transactions[run.transaction].stages[i].watch;
  for (const Sighted& one : run.sighted) {
    if (one.watch == watch && one.fed <= lives_[static_cast<size_t>(one.life)].cut) return &one;
  }
  return nullptr;
}

Oracle::Fate Oracle::by_interval(const RunFacts& run, size_t i, const Sighted& first, int life, Time q) const {
  const StageTerms& stage = scenario_.transactions[run.transaction].stages[i];
  const Time limit = run.due + stage.within;
  Fate fate;
  const auto turn = turn_at(life, std::max(q, first.fed));
  if (!turn) return fate;
  fate.decided = fate.seen = true;
  fate.lo = first.lo;
  fate.hi = first.hi;
  fate.fed = first.fed;
  fate.order = first.order;
  fate.at = q;
  fate.step = {life, *turn, q};
  if (first.corrupt) {
    fate.verdict = Verdict::corrupt;
  } else if (first.hi <= limit) {
    fate.verdict = Verdict::on_time;
  } else if (stage.expected != Expected::none && explains_late(life, *turn, run.due, limit, first.hi)) {
    fate.verdict = Verdict::unseen;
    fate.fault = true;
  } else if (first.lo > limit || proven_by(stage.watch, run.due, limit, life, first.fed - 1)) {
    fate.verdict = Verdict::late;
  } else {
    fate.verdict = Verdict::unseen;
  }
  return fate;
}

// The copies that a life was handed for the first time, in the order in which they count. While the stage waits beyond
// its limit they count when they are handed over. Of several that one turn takes, the one that was surely there first
// stands for all; where some is expected the first one told does, and no other matters.
std::vector<Oracle::Copy> Oracle::copies(const RunFacts& run, size_t i, int life, std::optional<Time> judged) const {
  const StageTerms& stage = scenario_.transactions[run.transaction].stages[i];
  const Sighted* const first = first_sighted(run, i);
  std::vector<Copy> found;
  std::vector<uint64_t> known;
  for (const Sighted& one : run.sighted) {
    if (one.watch != stage.watch || one.fed > lives_[static_cast<size_t>(one.life)].cut) continue;
    if (std::ranges::find(known, one.item) != known.end()) continue;
    known.push_back(one.item);
    if (one.life != life) continue;
    const Time at = judged && one.fed > *judged ? one.fed : one.hi;
    const auto turn = turn_at(life, std::max(at, one.fed));
    if (!turn) continue;
    Copy copy{&one, at, *turn};
    const bool is_first = &one == first && stage.expected != Expected::none;
    if (stage.expected == Expected::some && !is_first) continue;
    if (!is_first && !found.empty() && found.back().turn == *turn) {
      const bool of_first = found.back().what == first && stage.expected != Expected::none;
      if (of_first) {
        copy.at = std::max(copy.at, found.back().at);
      } else {
        if (one.hi < found.back().what->hi) {
          if (found.size() > 1 && found[found.size() - 2].turn == *turn) {
            copy.at = std::max(copy.at, found[found.size() - 2].at);
          }
          found.back() = copy;
        }
        continue;
      }
    }
    found.push_back(copy);
  }
  return found;
}

// What a copy makes of the stage as it stands; often nothing.
void Oracle::look_at(const RunFacts& run, size_t i, int life, const Copy& copy, Fate& fate) const {
  const StageTerms& stage = scenario_.transactions[run.transaction].stages[i];
  if (fate.decided) return;
  const Fate seen = by_interval(run, i, *copy.what, life, copy.at);
  if (stage.expected != Expected::none && !fate.awaits_second) {
    fate = seen;
    if (stage.expected == Expected::some || seen.verdict != Verdict::on_time) return;
    fate.decided = false;
    fate.awaits_second = seen.step;
    return;
  }
  // One where none must be, or one too many: within the limit it is bad, and beyond it nothing.
  const Time limit = run.due + stage.within;
  if (copy.what->lo > limit) return;
  if (copy.what->hi > limit && proven_by(stage.watch, run.due, limit, life, copy.what->fed - 1)) return;
  const auto awaited = fate.awaits_second;
  fate = seen;
  fate.awaits_second = awaited;
  fate.fault = false;
  fate.verdict = copy.what->hi <= limit ? Verdict::failed : Verdict::unseen;
}

void Oracle::before_limit(const RunFacts& run, size_t i, int life, Time until, Fate& fate) const {
  const Time limit = run.due + scenario_.transactions[run.transaction].stages[i].within;
  for (const Copy& copy : copies(run, i, life, std::nullopt)) {
    if (copy.what->fed <= until && copy.at <= limit) look_at(run, i, life, copy, fate);
  }
}

// At its limit, or as soon as a process is there to judge it, whose fault is silence? While nobody can say it waits:
// for evidence, for coverage, for the place to fail, or for `settle` to be over.
void Oracle::after_limit(const RunFacts& run, size_t i, int life, Time from, Time judged, Fate& fate) const {
  const StageTerms& stage = scenario_.transactions[run.transaction].stages[i];
  const Time limit = run.due + stage.within;
  const bool as_expected = stage.expected == Expected::none || fate.awaits_second;
  const auto decide = [&](Verdict verdict, Time at, Time turn, Time q) {
    fate.decided = true;
    fate.order = kAfterEvidence;
    fate.verdict = verdict;
    fate.at = at;
    fate.step = {life, turn, q};
  };
  if (proven_by(stage.watch, run.due, limit, life, judged)) {
    return decide(as_expected ? Verdict::on_time : Verdict::lost, limit, judged, from);
  }
  if (place_gone(stage.watch, life, limit, judged)) return decide(Verdict::failed, limit, judged, from);
  enum { covered, gone, timeout };
  std::vector<std::pair<Time, int>> next = {{std::max(from, limit + scenario_.settle), timeout}};
  if (const auto at = proven(stage.watch, run.due, limit, life); at && at->life == life) {
    next.emplace_back(at->turn, covered);
  }
  if (const auto at = place_gone_after(stage.watch, life, limit, judged)) next.emplace_back(*at, gone);
  const auto [q, what] = *std::min_element(next.begin(), next.end());
  for (const Copy& copy : copies(run, i, life, judged)) {
    if (copy.at > limit && copy.at <= q) look_at(run, i, life, copy, fate);
  }
  if (fate.decided) return;
  const auto turn = turn_at(life, q);
  if (!turn) return;
  const Verdict silence = stage.expected == Expected::none || fate.awaits_second ? Verdict::on_time : Verdict::lost;
  decide(what == covered ? silence : what == gone ? Verdict::failed : Verdict::unseen, q, *turn, q);
}

Oracle::Fate Oracle::watch(const RunFacts& run, size_t i) const {
  const Time limit = run.due + scenario_.transactions[run.transaction].stages[i].within;
  Fate fate;
  for (int life = run.life, end = clock_ends(run.life); life < end && !fate.decided; ++life) {
    const Time from = life == run.life ? limit : std::max(limit, lives_[static_cast<size_t>(life)].begin);
    const auto judged = turn_at(life, from);
    if (from == limit) before_limit(run, i, life, judged.value_or(INT64_MAX), fate);
    if (judged && !fate.decided) after_limit(run, i, life, from, *judged, fate);
  }
  return fate;
}

}  // namespace slosonde::swarm
