// The line of what happened: lives, turns, and what could be seen.
#include <algorithm>

#include "tests/simulation/swarm/oracle.h"

namespace slosonde::swarm {

namespace {

constexpr Time kLeastWaited = 10 * kMillisecond;

// Whether they count the same: of the only stage there is, what the whole run does.
bool same_sli(const Scenario& scenario, const SloTerms& one, const SloTerms& other) {
  if (one.transaction != other.transaction || one.faster_than != other.faster_than) return false;
  return one.stage == other.stage || scenario.transactions[one.transaction].stages.size() == 1;
}

}  // namespace

Oracle::Oracle(const Scenario& scenario, Time start)
    : scenario_(scenario), watches_(scenario.watches.size()), grids_(scenario.transactions.size()) {
  for (const SloTerms& slo : scenario.slos) {
    slos_.emplace_back(slo, scenario.transactions[slo.transaction].every, start);
  }
  for (size_t s = 0; s < slos_.size(); ++s) {
    const SloTerms& one = scenario.slos[s];
    for (const bool fine : {true, false}) {
      Time longest = 0;
      for (size_t other = 0; other < slos_.size(); ++other) {
        if (same_sli(scenario, one, scenario.slos[other])) longest = std::max(longest, slos_[other].longest(fine));
      }
      slos_[s].keep(fine, longest);
    }
  }
}

void Oracle::life_begins(Time at, bool clock_stepped) {
  Life life;
  life.begin = at;
  life.cut = INT64_MIN;
  life.stepped = clock_stepped;
  life.first_of_clock = clock_stepped || lives_.empty() ? lives() : lives_.back().first_of_clock;
  lives_.push_back(std::move(life));
  for (WatchFacts& watch : watches_) watch.sight.push_back({this->life(), at, Sight::in_sight});
}

void Oracle::life_ends() {
  Life& life = lives_.back();
  const int number = this->life();
  const auto undone = [&](const auto& fact) { return fact.life == number && fact.fed > life.cut; };
  life.turns.undo_after(life.cut);
  for (WatchFacts& watch : watches_) {
    std::erase_if(watch.coverage, undone);
    std::erase_if(watch.sight, undone);
  }
  undo_exclusions(number, life.cut);
  for (Grid& grid : grids_) {
    std::erase_if(grid.suspended, undone);
    while (!grid.runs.empty() && grid.runs.back().life == number && grid.runs.back().started > life.cut) {
      grid.runs.pop_back();
    }
    for (RunFacts& run : grid.runs) {
      std::erase_if(run.attempts, [&](const Attempt& one) { return one.life == number && one.started > life.cut; });
      for (Attempt& one : run.attempts) one.answered = one.answered && !undone(one);
      std::erase_if(run.sighted, undone);
      std::erase_if(run.closed, [&](const Closed& one) { return one.life == number && one.turn > life.cut; });
    }
  }
  std::erase_if(readings_, [&](const Reading& one) { return one.at.life == number && one.at.turn > life.cut; });
  life.ended = true;
  if (life.cut == INT64_MIN) lives_.pop_back();  // it has left nothing, as though it had not been
}

uint64_t Oracle::started(size_t transaction, Time due, Time turn) {
  Grid& grid = grids_[transaction];
  RunFacts run;
  run.transaction = transaction;
  run.number = grid.next_number++;
  run.due = due;
  run.life = life();
  run.started = turn;
  if (!grid.phase) grid.phase = due;
  grid.runs.push_back(std::move(run));
  return grid.runs.back().number;
}

RunFacts* Oracle::find(size_t transaction, uint64_t number) {
  Grid& grid = grids_[transaction];
  if (grid.runs.empty() || number < grid.runs.front().number) return nullptr;
  const size_t guess = number - grid.runs.front().number;  // only what a crash has undone is left out
  if (guess < grid.runs.size() && grid.runs[guess].number == number) return &grid.runs[guess];
  const auto found = std::lower_bound(grid.runs.begin(), grid.runs.end(), number,
                                      [](const RunFacts& run, uint64_t n) { return run.number < n; });
  return found != grid.runs.end() && found->number == number ? &*found : nullptr;
}

void Oracle::covered(size_t watch, Time fed, Time from, Time to) {
  watches_[watch].coverage.push_back({life(), fed, from, to});
  sight(watch, fed, Sight::in_sight);
}

void Oracle::sight(size_t watch, Time fed, Sight sight) {
  auto& all = watches_[watch].sight;
  if (sight == Sight::in_sight && all.back().sight == sight) return;
  all.push_back({life(), fed, sight});
}

void Oracle::shown(Time turn, std::vector<SloReading> slos) {
  readings_.push_back({{life(), turn, kRead}, std::move(slos)});
}

std::optional<Time> Oracle::turn_at(int life, Time t) const {
  const Life& one = lives_[static_cast<size_t>(life)];
  const auto found = one.turns.at_or_after(t);
  return found && *found <= one.cut ? found : std::nullopt;
}

// Law: what is due is done at once, unless all was held up. A turn may come by the world's grain later than it was
// asked for.
void Oracle::in_time(int life, Time turn, Time due, size_t transaction, const char* what) {
  constexpr Time kGrain = 5 * kMillisecond + 2;
  if (turn - due <= kGrain) return;
  const auto& held = lives_[static_cast<size_t>(life)].held;
  if (std::binary_search(held.begin(), held.end(), turn)) return;
  fail(due, transaction, std::string(what) + ' ' + format_duration(Duration(turn - due)) + " late");
}

// How long we waited for a processor between two instants, at most, as was known at the turn.
Time Oracle::waited(int life, Time turn, Time from, Time to) const {
  Time sum = 0;
  for (const Starved& one : starved_) {
    if (one.life != life || one.fed > turn || one.waited < kMillisecond) continue;
    sum += std::max<Time>(0, std::min(one.waited, std::min(one.to, to) - std::max(one.from, from)));
  }
  return sum;
}

bool Oracle::explains_late(int life, Time turn, Time due, Time limit, Time at) const {
  return waited(life, turn, due, at) >= std::max(at - limit, kLeastWaited);
}

bool Oracle::explains_silence(int life, Time turn, Time due, Time limit) const {
  return waited(life, turn, due, limit) >= std::max((limit - due) / 2, kLeastWaited);
}

int Oracle::clock_ends(int life) const {
  int next = life + 1;
  while (next < lives() && !lives_[static_cast<size_t>(next)].stepped) ++next;
  return next;
}

// When [from, to] was proven to be covered, by all that processes of one clock have reported, up to `life`.
std::optional<Step> Oracle::proven(size_t watch, Time from, Time to, int life) const {
  const auto& all = watches_[watch].coverage;
  const int first_life = lives_[static_cast<size_t>(life)].first_of_clock;
  // What was reported before `from` ends before it.
  auto one = std::partition_point(all.begin(), all.end(), [&](const Covered& fact) {
    return fact.life < first_life || (fact.life <= life && fact.fed < from);
  });
  std::vector<std::pair<Time, Time>> apart;
  Time reach = from;
  for (; one != all.end() && one->life <= life; ++one) {
    if (one->fed > lives_[static_cast<size_t>(one->life)].cut) continue;
    if (one->to < from || one->from > to) continue;
    if (one->from > reach) {
      apart.emplace_back(one->from, one->to);
      continue;
    }
    reach = std::max(reach, one->to);
    for (bool joined = !apart.empty(); joined;) {
      joined = false;
      for (size_t i = 0; i < apart.size(); ++i) {
        if (apart[i].first > reach) continue;
        reach = std::max(reach, apart[i].second);
        apart.erase(apart.begin() + static_cast<std::ptrdiff_t>(i));
        joined = true;
        break;
      }
    }
    if (reach >= to) return Step{one->life, one->fed, one->fed};
  }
  return std::nullopt;
}

bool Oracle::proven_by(size_t watch, Time from, Time to, int life, Time turn) const {
  const auto at = proven(watch, from, to, life);
  return at && (at->life < life || at->turn <= turn);
}

// Of a time when nobody looked, the place's present state says nothing.
bool Oracle::place_gone(size_t watch, int life, Time limit, Time turn) const {
  if (limit < lives_[static_cast<size_t>(life)].begin) return false;
  Sight sight = Sight::in_sight;
  for (const Seen& one : watches_[watch].sight) {
    if (one.life == life && one.fed <= turn) sight = one.sight;
  }
  return sight == Sight::place_gone;
}

std::optional<Time> Oracle::place_gone_after(size_t watch, int life, Time limit, Time turn) const {
  if (limit < lives_[static_cast<size_t>(life)].begin) return std::nullopt;
  for (const Seen& one : watches_[watch].sight) {
    if (one.life == life && one.fed > turn && one.sight == Sight::place_gone) return one.fed;
  }
  return std::nullopt;
}

// What no run that is still open can need.
void Oracle::forget() {
  Step oldest{life(), INT64_MAX, 0};
  for (const Grid& grid : grids_) {
    const Time next = grid.next.value_or(INT64_MIN);
    const Time due = grid.runs.empty() ? next : std::min(next, grid.runs.front().due);
    const int life = grid.runs.empty() ? grid.life : std::min(grid.life, grid.runs.front().life);
    oldest = std::min(oldest, Step{life, due, 0});
  }
  oldest = std::min(oldest, Step{ticked_.life, ticked_.turn, 0});
  const auto old = [&](int life, Time t) { return life < oldest.life || (life == oldest.life && t < oldest.turn); };
  for (int life = 0; life <= oldest.life; ++life) {
    lives_[static_cast<size_t>(life)].turns.forget_before(life < oldest.life ? INT64_MAX : oldest.turn);
    auto& held = lives_[static_cast<size_t>(life)].held;
    while (!held.empty() && old(life, held.front())) held.pop_front();
  }
  if (!grids_.empty()) forget_exclusions(oldest.turn);
  while (!starved_.empty() && old(starved_.front().life, starved_.front().fed)) starved_.pop_front();
  for (WatchFacts& watch : watches_) {
    while (!watch.coverage.empty() && old(watch.coverage.front().life, watch.coverage.front().fed)) {
      watch.coverage.pop_front();
    }
    while (watch.sight.size() > 1 && old(watch.sight[1].life, watch.sight[1].fed)) watch.sight.pop_front();
  }
}

}  // namespace slosonde::swarm
