#include "probe/slo/zone.h"

#include <algorithm>
#include <limits>

namespace slosonde::slo {

int64_t Zone::offset_at(int64_t unix_s) const {
  const auto after = std::upper_bound(offsets.begin(), offsets.end(), unix_s,
                                      [](int64_t t, const ZoneOffset& one) { return t < one.from_s; });
  return after == offsets.begin() ? offsets.front().offset_s : std::prev(after)->offset_s;
}

int64_t Zone::unix_of(int64_t local_s, Twice twice) const {
  constexpr int64_t kDay = 86'400;  // no offset is longer
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  int64_t found = kEnd;
  for (size_t i = 0; i < offsets.size(); ++i) {
    const int64_t from = i == 0 ? std::numeric_limits<int64_t>::min() : offsets[i].from_s;
    const int64_t to = i + 1 == offsets.size() ? kEnd : offsets[i + 1].from_s;
    if (to < local_s - kDay) continue;
    if (from > local_s + kDay) break;
    const int64_t t = local_s - offsets[i].offset_s;
    if (t >= from && t < to && (found == kEnd || twice == Twice::later)) found = t;
    // Shown neither before this change nor after it.
    if (found == kEnd && t >= to && to != kEnd && local_s - offsets[i + 1].offset_s < to) found = to;
  }
  return found;
}

}  // namespace slosonde::slo
