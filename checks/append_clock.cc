#include "checks/append_clock.h"

#include <algorithm>
#include <chrono>

namespace slosonde::checks {

namespace {

constexpr Duration kWallStep = std::chrono::milliseconds(500);  // less is adjustment
constexpr int64_t kLastStamp_ms = 9'000'000'000'000;            // beyond it nanoseconds have no room
constexpr Duration kGrain = std::chrono::milliseconds(1);       // of a stamp

}  // namespace

void AppendClock::look(Instant now, Duration wall_offset) {
  if (wall_offset_ && std::chrono::abs(wall_offset - *wall_offset_) <= kWallStep) return;
  if (wall_offset_) set_at_ = now;
  wall_offset_ = wall_offset;
}

void AppendClock::narrow(Evidence& evidence, int64_t appended_unix_ms) const {
  if (!error_ || !wall_offset_ || evidence.seen_lo >= evidence.seen_hi) return;
  if (appended_unix_ms < 0 || appended_unix_ms > kLastStamp_ms) return;
  if (set_at_ && *set_at_ >= evidence.seen_lo) return;
  const Instant appended = instant_from_unix_ns(0) + std::chrono::milliseconds(appended_unix_ms) - *wall_offset_;
  const Instant from = appended - *error_, to = appended + kGrain + *error_;
  if (to < evidence.seen_lo || from > evidence.seen_hi) return;
  evidence.seen_lo = std::max(evidence.seen_lo, from);
  evidence.seen_hi = std::min(evidence.seen_hi, to);
}

}  // namespace slosonde::checks
