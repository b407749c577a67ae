#include "probe/engine/backoff.h"

#include <algorithm>

namespace slosonde::engine {

namespace {

bool is_of_reach(ErrorCode code) {
  switch (code) {
    case ErrorCode::resolve_failed:
    case ErrorCode::resolve_timeout:
    case ErrorCode::connect_refused:
    case ErrorCode::connect_failed:
    case ErrorCode::connect_timeout:
    case ErrorCode::tls_failed:
    case ErrorCode::send_failed:
    case ErrorCode::timeout:
    case ErrorCode::connection_lost:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool was_unreachable(const Run& run) {
  // Only checks fail so: of a watched stage it is the place that evidence is looked for in.
  return std::any_of(run.stages.begin(), run.stages.end(), [](const Stage& stage) {
    return stage.record.attempts > 0 && stage.record.verdict == StageVerdict::failed &&
           is_of_reach(stage.record.error.code);
  });
}

Duration Backoff::distance() const {
  if (failed_ < kPatience || every_ <= Duration::zero() || most_ <= every_) return every_;
  // In whole intervals, for slots lie on a grid.
  const int64_t most = most_ / every_;
  int64_t intervals = 2;
  for (unsigned i = kPatience; i < failed_ && intervals < most; ++i) intervals *= 2;
  return every_ * std::min(intervals, most);
}

}  // namespace slosonde::engine
