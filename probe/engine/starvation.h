// When the engine was kept from its work, for want of a processor or because it stood still: what comes late then may
// be late by us.
#pragma once

#include <deque>

#include "probe/base/time.h"

namespace slosonde::engine {

// Engine thread. Keeps the newest kMost intervals.
class Starvation {
 public:
  static constexpr size_t kMost = 4096;
  static constexpr Duration kWorthNoting = std::chrono::milliseconds(1);
  // Less than this explains nothing: it is how processors are shared on any machine.
  static constexpr Duration kLeast = std::chrono::milliseconds(10);

  // Within (from, to] the engine was kept from its work for so long. Told in the order of time.
  void note(Instant from, Instant to, Duration waited);

  // At most so long within (from, to].
  Duration waited(Instant from, Instant to) const;

  // Whether what came at `at`, over its limit, might have come in time, had we not waited since `due`.
  bool explains_late(Instant due, Instant limit, Instant at) const;
  // Whether we waited for most of the time from `due` to `limit`, so that having no answer says nothing.
  bool explains_silence(Instant due, Instant limit) const;

 private:
  struct Interval {
    Instant from, to;
    Duration waited;
  };
  std::deque<Interval> intervals_;
};

}  // namespace slosonde::engine
