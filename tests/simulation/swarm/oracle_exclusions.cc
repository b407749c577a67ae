// Declared maintenance: which runs and slots it covers, by the wall clock as the process knew it.
#include <algorithm>

#include "tests/simulation/swarm/oracle.h"

namespace slosonde::swarm {

namespace {

constexpr Time kClocksSetBy = 4 * kDay;  // so far, at most, the wall clock is from where it began

}  // namespace

void Oracle::excludes(const std::string& name, int transaction, Time fed, Time from, Time to) {
  exclusions_.push_back({name, transaction, life(), fed, from, to, std::nullopt});
}

void Oracle::ends_exclusion(const std::string& name, Time fed, Time wall) {
  const auto found = std::ranges::find(exclusions_, name, &Exclusion::name);
  if (found == exclusions_.end()) return;  // its declaration was lost with its process
  if (!found->end && wall < found->to) found->end = {life(), fed, wall};
}

void Oracle::undo_exclusions(int life, Time cut) {
  std::erase_if(exclusions_, [&](const Exclusion& one) { return one.life == life && one.fed > cut; });
  for (Exclusion& one : exclusions_) {
    if (one.end && one.end->life == life && one.end->fed > cut) one.end.reset();
  }
}

void Oracle::forget_exclusions(Time before) {
  std::erase_if(exclusions_, [&](const Exclusion& one) { return one.to + kClocksSetBy < before; });
  std::erase_if(wall_steps_, [&](const WallStep& one) { return one.life + 3 < grids_.front().life; });
}

// Whether what lasts from `from` to `to` touches a window that was known at the turn.
bool Oracle::excluded(size_t transaction, Time from, Time to, int life, Time turn) const {
  if (exclusions_.empty()) return false;
  Time offset = 0;
  for (const WallStep& step : wall_steps_) {
    if (step.life == life && step.fed <= turn) offset = step.offset;
  }
  const auto known = [&](int of, Time fed) { return of < life || (of == life && fed <= turn); };
  const auto covers = [&](const Exclusion& one) {
    if (one.transaction >= 0 && static_cast<size_t>(one.transaction) != transaction) return false;
    if (!known(one.life, one.fed)) return false;
    Time until = one.to;
    if (one.end && known(one.end->life, one.end->fed)) {
      // What is due after it was ended is not covered, also where the clock was set back since.
      Time ended = one.end->fed;
      for (int later = one.end->life + 1; later <= life; ++later) {
        ended = std::min(ended, lives_[static_cast<size_t>(later)].begin);
      }
      if (one.end->wall <= one.from || from >= ended) return false;
      until = one.end->wall;
    }
    return one.from <= to + offset && from + offset < until;
  };
  return std::any_of(exclusions_.begin(), exclusions_.end(), covers);
}

}  // namespace slosonde::swarm
