// When a run gives its place back, and when it is over.
#include <algorithm>

#include "tests/simulation/swarm/oracle.h"

namespace slosonde::swarm {

// The reload that ended it, if it was still open then.
const Step* Oracle::cut_of(const RunFacts& run) const {
  for (const Step& cut : grids_[run.transaction].cuts) {
    if (Step{run.life, run.started, 0} < cut) return &cut;
  }
  return nullptr;
}

bool Oracle::closes_before(const RunFacts& run, Judged judged, int life) const {
  return close(run, judged) && judged.close.life < life;
}

// A run that only waits for sight holds no place: at the latest its limits free it.
Step Oracle::place_freed(const RunFacts& run, const std::vector<Fate>& fates) const {
  const auto& stages = scenario_.transactions[run.transaction].stages;
  Step place;
  for (size_t i = 0; i < fates.size(); ++i) {
    const Time limit = run.due + stages[i].within;
    Step freed = fates[i].step;
    for (int life = run.life; stages[i].mode == Mode::watched && life <= fates[i].step.life; ++life) {
      const Time q = life == run.life ? limit : std::max(limit, lives_[static_cast<size_t>(life)].begin);
      if (const auto turn = turn_at(life, q)) {
        freed = std::min(freed, Step{life, *turn, q});
        break;
      }
    }
    place = std::max(place, freed);
  }
  return place;
}

// When it gave its place back and when it was closed; and what came before that, though after its limit, is late.
bool Oracle::close(const RunFacts& run, Judged& judged) const {
  const TransactionTerms& scenario = scenario_.transactions[run.transaction];
  judged.place = place_freed(run, judged.fates);
  const bool watched =
      std::ranges::any_of(scenario.stages, [](const StageTerms& one) { return one.mode == Mode::watched; });
  Time last_limit = run.due;
  for (const StageTerms& stage : scenario.stages) last_limit = std::max(last_limit, run.due + stage.within);
  const Time close_at = watched ? std::max(judged.decided, last_limit + scenario.linger) : judged.decided;
  bool closed = false;
  for (int life = judged.decided_step.life; life < lives() && !closed; ++life) {
    Time q = std::max(close_at, judged.decided_step.q);
    if (life > judged.decided_step.life) q = std::max(close_at, lives_[static_cast<size_t>(life)].begin);
    const auto turn = turn_at(life, life == judged.decided_step.life ? std::max(q, judged.decided_step.turn) : q);
    if (!turn) continue;
    judged.close = {life, *turn, q};
    closed = true;
  }
  if (const Step* const cut = cut_of(run); cut && (!closed || *cut < judged.close)) {
    judged.close = *cut;
    judged.place = std::min(judged.place, *cut);
    closed = true;
  }
  if (!closed) return false;
  for (size_t i = 0; i < judged.fates.size(); ++i) {
    Fate& fate = judged.fates[i];
    if (fate.verdict != Verdict::lost || scenario.stages[i].mode != Mode::watched) continue;
    const Sighted* const first = first_sighted(run, i);
    if (!first) continue;
    const auto turn = turn_at(first->life, first->fed);
    if (!turn || Step{first->life, *turn, first->hi} > judged.close) continue;
    fate.verdict = Verdict::late;
    fate.seen = true;
    fate.lo = first->lo;
    fate.hi = first->hi;
  }
  return true;
}

}  // namespace slosonde::swarm
