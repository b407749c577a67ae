// The boot clock as Asio's timers take it: it runs on while the machine sleeps, and never steps.
#pragma once

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <ctime>

#include "probe/base/time.h"

namespace slosonde::io {

struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock, Duration>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept {
    timespec reading{};
    clock_gettime(CLOCK_BOOTTIME, &reading);
    return time_point(std::chrono::seconds(reading.tv_sec) + std::chrono::nanoseconds(reading.tv_nsec));
  }
};

// Asio waits on the monotonic clock, which stands still while the machine sleeps: look at the boot clock once a second.
struct BootWaitTraits {
  static Duration to_wait_duration(Duration d) { return std::min<Duration>(d, std::chrono::seconds(1)); }
  static Duration to_wait_duration(BootClock::time_point t) { return to_wait_duration(t - BootClock::now()); }
};

using BootTimer = boost::asio::basic_waitable_timer<BootClock, BootWaitTraits>;

// Where an Instant lies on the boot clock, given what an Instant adds to it. kNever stays the end of time.
inline BootClock::time_point boot_time(Instant when, Duration offset) {
  if (when == kNever) return BootClock::time_point::max();
  return BootClock::time_point(when.time_since_epoch() - offset);
}

}  // namespace slosonde::io
