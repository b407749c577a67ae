#include "checks/append_clock.h"

#include <algorithm>
#include <chrono>

#include "probe/base/wall_step.h"

namespace slosonde::checks {

namespace {

constexpr Duration kNoise = std::chrono::milliseconds(1);  // between two readings of two clocks
constexpr int64_t kLastStamp_ms = 9'000'000'000'000;       // beyond it nanoseconds have no room
constexpr Duration kGrain = std::chrono::milliseconds(1);  // of a stamp

}  // namespace

void AppendClock::look(Instant now, Duration wall_offset) {
  if (!error_) return;
  if (!offsets_.empty() && std::chrono::abs(wall_offset - offsets_.back().offset) <= kNoise) return;
  offsets_.push_back({now, wall_offset});
  if (offsets_.size() <= kMost) return;
  offsets_.pop_front();
  forgotten_ = true;
}

std::optional<Duration> AppendClock::spread(Instant since) const {
  if (offsets_.empty() || (forgotten_ && offsets_.front().since > since)) return std::nullopt;
  Duration least = offsets_.back().offset, most = least;
  for (auto at = offsets_.rbegin(); at != offsets_.rend(); ++at) {
    least = std::min(least, at->offset);
    most = std::max(most, at->offset);
    if (at->since <= since) break;
  }
  return most - least;
}

void AppendClock::narrow(Evidence& evidence, int64_t appended_unix_ms) const {
  if (!error_ || evidence.seen_lo >= evidence.seen_hi) return;
  if (appended_unix_ms < 0 || appended_unix_ms > kLastStamp_ms) return;
  const auto adjusted = spread(evidence.seen_lo);
  if (!adjusted || *adjusted > kWallStep) return;
  const Duration error = *error_ + *adjusted + kNoise;
  const Instant appended =
      instant_from_unix_ns(0) + std::chrono::milliseconds(appended_unix_ms) - offsets_.back().offset;
  const Instant from = appended - error, to = appended + kGrain + error;
  if (to < evidence.seen_lo || from > evidence.seen_hi) return;
  evidence.seen_lo = std::max(evidence.seen_lo, from);
  evidence.seen_hi = std::min(evidence.seen_hi, to);
  evidence.by_place = true;
}

}  // namespace slosonde::checks
