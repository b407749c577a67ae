// What times a watch has covered: a bounded set of intervals.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "probe/base/time.h"

namespace slosonde::engine {

struct TimeSpan {
  Instant from{}, to{};
};

// Closed intervals, apart from each other, ascending. Engine thread.
class Coverage {
 public:
  static constexpr size_t kMost = 64;

  // Joins [from, to] with what it touches and gives back the whole. An interval that ends before it begins is ignored
  // (the answer is then empty). Over kMost the oldest is forgotten: that makes silence unproven, never proven.
  TimeSpan add(Instant from, Instant to);

  // Whether all of [from, to] is covered.
  bool covers(Instant from, Instant to) const;

  // Up to when everything from `from` on is covered; nothing: `from` itself is not.
  std::optional<Instant> reach(Instant from) const;

  // Forgets what ended before `t`.
  void forget_before(Instant t);

  size_t size() const { return spans_.size(); }
  const std::vector<TimeSpan>& spans() const { return spans_; }

 private:
  std::vector<TimeSpan> spans_;
};

}  // namespace slosonde::engine
