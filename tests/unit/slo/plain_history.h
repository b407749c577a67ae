// A history as anyone would write it first: a list of events, gone through for every question. It shares nothing with
// the real one but the words in its header.
#pragma once

#include <algorithm>
#include <vector>

#include "probe/base/time.h"
#include "probe/slo/counts.h"

namespace slosonde::slo {

class PlainHistory {
 public:
  explicit PlainHistory(Instant start) : start_ns_(unix_ns(start)), now_ns_(unix_ns(start)) {}

  void advance(Instant now) { now_ns_ = std::max(now_ns_, unix_ns(now)); }

  void add(Instant t, Event event, uint64_t n) {
    advance(t);
    const int64_t oldest_ns = now_ns_ - 15 * 60 * kSecond;
    if (unix_ns(t) < oldest_ns) moved_ += n;
    events_.push_back({std::max(unix_ns(t), oldest_ns), event, n});
  }

  int64_t window_start_ns(int64_t window_ns) const {
    const int64_t slot_ns = window_ns <= 6 * 3600 * kSecond ? 10 * kSecond : 60 * kSecond;
    int64_t edge_ns = now_ns_ - now_ns_ % slot_ns;
    if (edge_ns > now_ns_) edge_ns -= slot_ns;
    return edge_ns - window_ns;
  }

  Counts sum(int64_t window_ns) const {
    Counts sum;
    for (const Entry& entry : events_) {
      if (entry.t_ns < window_start_ns(window_ns)) continue;
      if (entry.event == Event::good) sum.good += entry.n;
      if (entry.event == Event::bad) sum.bad += entry.n;
      if (entry.event == Event::blind) sum.blind += entry.n;
      if (entry.event == Event::probe_fault) sum.probe_fault += entry.n;
      if (entry.event == Event::missed) sum.missed += entry.n;
      if (entry.event == Event::excluded_unjudged) sum.excluded_unjudged += entry.n;
      if (entry.event == Event::excluded_good) sum.excluded_good += entry.n;
      if (entry.event == Event::excluded_bad) sum.excluded_bad += entry.n;
    }
    return sum;
  }

  int64_t unobserved_ns(int64_t window_ns) const {
    return std::min(window_ns, std::max<int64_t>(0, start_ns_ - window_start_ns(window_ns)));
  }

  uint64_t moved() const { return moved_; }

 private:
  static constexpr int64_t kSecond = 1'000'000'000;
  struct Entry {
    int64_t t_ns;
    Event event;
    uint64_t n;
  };
  int64_t start_ns_;
  int64_t now_ns_;
  uint64_t moved_ = 0;
  std::vector<Entry> events_;
};

}  // namespace slosonde::slo
