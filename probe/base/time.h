// Instants and durations of the house.
//
// An Instant counts nanoseconds on a line that reads like Unix time but never steps: it is the boot clock (which runs
// on while the machine sleeps) plus the offset the wall clock had when the process started. All durations, schedules,
// limits and latencies use it. Where the wall clock has been stepped since, io reports the step, and only views for
// people add it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slosonde {

using Duration = std::chrono::nanoseconds;

struct ProbeClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<ProbeClock, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = ProbeClock::time_point;

constexpr Instant instant_from_unix_ns(int64_t unix_ns) {
  return Instant(Duration(unix_ns));
}
constexpr int64_t unix_ns(Instant t) {
  return t.time_since_epoch().count();
}
constexpr double seconds(Duration d) {
  return static_cast<double>(d.count()) * 1e-9;
}
constexpr Instant kNever = Instant::max();

// "1500ms", "30d": the largest unit that makes it a whole number; parse_duration reads it back. Units: ns us ms s m h
// d.
std::string format_duration(Duration d);

// The opposite; a number without a unit (other than 0), an unknown unit, or a value beyond 100 years is nothing.
std::optional<Duration> parse_duration(std::string_view text);

// RFC 3339 in UTC with milliseconds: "2026-01-31T09:30:00.125Z".
std::string format_utc(Instant t);

}  // namespace slosonde
