// What was decided, brought to the SLOs in the order in which it was done, and what they showed compared.
#include <algorithm>

#include "tests/simulation/swarm/oracle.h"

namespace slosonde::swarm {

namespace {

constexpr Time kTick = 10 * kSecond;
constexpr Time kTicksCaughtUp = kHour;

Time tick_from(Time t) {
  return (t + kTick - 1) / kTick * kTick;
}

}  // namespace

void Oracle::settle() {
  if (lives_.empty()) return;
  for (size_t t = 0; t < grids_.size(); ++t) {
    while (settle_slot(t)) continue;
  }
  apply(frontier());
  forget();
}

// Nothing will be decided any more before this.
Step Oracle::frontier() const {
  Step first{life(), lives_.back().cut, INT64_MAX};
  for (size_t t = 0; t < grids_.size(); ++t) {
    const Grid& grid = grids_[t];
    const Life& life = lives_[static_cast<size_t>(grid.life)];
    if (finished_ && grid.runs.empty() && grid.life == this->life()) continue;
    first = std::min(first, Step{grid.life, std::max(life.begin, grid.next.value_or(life.begin)), INT64_MIN});
  }
  return first;
}

void Oracle::apply(const Step& until) {
  const auto known = [&](const SloEvent& event) { return event.step < until; };
  const auto end = std::partition(events_.begin(), events_.end(), known);
  std::sort(events_.begin(), end, [](const SloEvent& a, const SloEvent& b) {
    return std::tie(a.step, a.order, a.slo) < std::tie(b.step, b.order, b.slo);
  });
  auto event = events_.begin();
  while (true) {
    const Step tick = next_tick();
    const bool tick_known = tick < until;
    const bool has_event = event != end;
    Step next = tick;
    if (has_event && event->step < next) next = event->step;
    while (!readings_.empty() && readings_.front().at < std::min(next, until)) compare_reading();
    if (has_event && (!tick_known || event->step < tick)) {
      const auto next_of_slo = std::find_if(
          event + 1, end, [&](const SloEvent& one) { return one.slo == event->slo || event->step < one.step; });
      const bool last = next_of_slo == end || event->step < next_of_slo->step;
      apply(*event++, last);
    } else if (tick_known) {
      for (SloOracle& slo : slos_) slo.step(tick.q);
      ticked_ = tick;
    } else {
      break;
    }
  }
  events_.erase(events_.begin(), end);
}

// Windows move every ten seconds; after a long stall those in between are left out.
Step Oracle::next_tick() const {
  const Step never{lives(), 0, 0};
  int life = ticked_.life;
  Time next = ticked_.turn == 0 ? tick_from(lives_[static_cast<size_t>(life)].begin) : ticked_.q + kTick;
  if (ticked_.turn != 0 && ticked_.turn - next > kTicksCaughtUp) next = tick_from(ticked_.turn);
  while (true) {
    if (const auto turn = turn_at(life, next)) return {life, *turn, next};
    if (!lives_[static_cast<size_t>(life)].ended || life + 1 >= lives()) return never;
    next = tick_from(lives_[static_cast<size_t>(++life)].begin);
  }
}

// Alerts look at what counts at one instant once all of it is counted; at what a reload ends, once it is done.
void Oracle::apply(const SloEvent& event, bool last_of_step) {
  SloOracle& slo = slos_[event.slo];
  const bool of_turn = event.step.q == INT64_MIN || event.step.q >= kCut;
  const Time now = of_turn ? event.step.turn : event.step.q;
  if (event.objective_ppb > 0) {
    slo.objective(event.objective_ppb);
    return slo.step(now);
  }
  if (event.n == 0) return slo.restart(event.at);
  for (uint64_t k = 0; k < event.n; ++k) {
    slo.count(event.at + event.every * static_cast<Time>(k), event.kind, event.excluded);
  }
  if (last_of_step && event.step.q != kCut) slo.step(now);
}

void Oracle::reloads(Time turn) {
  for (size_t s = 0; s < scenario_.slos.size(); ++s) {
    const int64_t objective_ppb = scenario_.slos[s].objective_ppb;
    events_.push_back({{life(), turn, kReload}, ++order_, s, turn, 0, RunVerdict::good, false, objective_ppb, 1});
  }
}

void Oracle::compare_reading() {
  const Reading& reading = readings_.front();
  for (size_t s = 0; s < slos_.size(); ++s) {
    const std::string text = slos_[s].compare(reading.slos[s]);
    if (!text.empty()) fail(reading.at.turn, scenario_.slos[s].transaction, "slo" + std::to_string(s) + ' ' + text);
  }
  ++compared_;
  readings_.pop_front();
}

void Oracle::finish() {
  finished_ = true;
  settle();
  for (size_t t = 0; t < grids_.size(); ++t) {
    if (!grids_[t].runs.empty()) fail(grids_[t].runs.front().due, t, "the run was never decided");
  }
  if (!readings_.empty()) fail(readings_.front().at.turn, 0, "a reading could not be compared");
}

}  // namespace slosonde::swarm
