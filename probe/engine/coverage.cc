#include "probe/engine/coverage.h"

#include <algorithm>

namespace slosonde::engine {

TimeSpan Coverage::add(Instant from, Instant to) {
  TimeSpan whole{from, to};
  if (to < from) return whole;
  // The first that ends at or after `from`, up to the first that begins after `to`: all these are touched.
  const auto begin =
      std::lower_bound(spans_.begin(), spans_.end(), from, [](const TimeSpan& span, Instant t) { return span.to < t; });
  auto end = begin;
  while (end != spans_.end() && end->from <= to) {
    whole.from = std::min(whole.from, end->from);
    whole.to = std::max(whole.to, end->to);
    ++end;
  }
  if (begin == end) {
    spans_.insert(begin, whole);
    if (spans_.size() > kMost) spans_.erase(spans_.begin());
  } else {
    *begin = whole;
    spans_.erase(begin + 1, end);
  }
  return whole;
}

bool Coverage::covers(Instant from, Instant to) const {
  const auto found =
      std::lower_bound(spans_.begin(), spans_.end(), to, [](const TimeSpan& span, Instant t) { return span.to < t; });
  return found != spans_.end() && found->from <= from;
}

std::optional<Instant> Coverage::reach(Instant from) const {
  const auto found =
      std::lower_bound(spans_.begin(), spans_.end(), from, [](const TimeSpan& span, Instant t) { return span.to < t; });
  if (found == spans_.end() || found->from > from) return std::nullopt;
  return found->to;
}

void Coverage::forget_before(Instant t) {
  const auto end =
      std::lower_bound(spans_.begin(), spans_.end(), t, [](const TimeSpan& span, Instant at) { return span.to < at; });
  spans_.erase(spans_.begin(), end);
}

}  // namespace slosonde::engine
