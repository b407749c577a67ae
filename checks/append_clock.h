// When a message came, by the clock of the broker that appended it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "checks/watch.h"
#include "probe/base/time.h"

namespace slosonde::checks {

// What is read back after a gap in sight may be as old as the gap. Where the topic's messages bear the time at which
// they were appended, and clocks are known to agree within some error, it is known much closer. Engine thread.
class AppendClock {
 public:
  // `error`: at most so much lies between our wall clock and any broker's; none: stamps say nothing.
  explicit AppendClock(std::optional<Duration> error) : error_(error) {}

  // At every turn: how far the wall clock is from our own line of time.
  void look(Instant now, Duration wall_offset);

  // Narrows the interval of a message that bears this append time: to the error either way, and as much more as our
  // wall clock was adjusted meanwhile. Leaves it as it is where it is an instant already, where the wall clock has been
  // set since it began, and where the stamp lies beyond it: then the clocks do not agree.
  void narrow(Evidence& evidence, int64_t appended_unix_ms) const;

 private:
  struct Offset {
    Instant since;
    Duration offset;
  };
  // Between the least and the greatest offset since then; none: too long ago to know.
  std::optional<Duration> spread(Instant since) const;

  static constexpr size_t kMost = 256;

  std::optional<Duration> error_;
  std::deque<Offset> offsets_;
  bool forgotten_ = false;  // an older one
};

}  // namespace slosonde::checks
