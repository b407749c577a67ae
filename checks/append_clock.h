// When a message came, by the clock of the broker that appended it.
#pragma once

#include <cstdint>
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

  // At every turn: how far the wall clock is from our own line of time. What came before it was set cannot be placed.
  void look(Instant now, Duration wall_offset);

  // Narrows the interval of a message that bears this append time. Leaves it as it is where it is an instant already,
  // where the wall clock has been set since it began, and where the stamp lies beyond it: then the clocks do not agree.
  void narrow(Evidence& evidence, int64_t appended_unix_ms) const;

 private:
  std::optional<Duration> error_;
  std::optional<Duration> wall_offset_;
  std::optional<Instant> set_at_;  // the wall clock, the last time
};

}  // namespace slosonde::checks
