#include "probe/engine/starvation.h"

#include <algorithm>

namespace slosonde::engine {

void Starvation::note(Instant from, Instant to, Duration waited) {
  if (waited < kWorthNoting) return;
  if (intervals_.size() == kMost) intervals_.pop_front();
  intervals_.push_back({from, to, waited});
}

// Where in its interval the waiting lay is not known: all of what is asked about may be it.
Duration Starvation::waited(Instant from, Instant to) const {
  Duration sum{};
  for (auto one = intervals_.rbegin(); one != intervals_.rend() && one->to > from; ++one) {
    const Duration common = std::min(one->to, to) - std::max(one->from, from);
    if (common > Duration::zero()) sum += std::min(one->waited, common);
  }
  return sum;
}

bool Starvation::explains_late(Instant due, Instant limit, Instant at) const {
  return waited(due, at) >= std::max(at - limit, kLeast);
}

bool Starvation::explains_silence(Instant due, Instant limit) const {
  return waited(due, limit) >= std::max((limit - due) / 2, kLeast);
}

}  // namespace slosonde::engine
