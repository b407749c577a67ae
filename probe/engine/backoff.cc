#include "probe/engine/backoff.h"

#include <algorithm>

#include "probe/engine/witness_log.h"

namespace slosonde::engine {

namespace {

// What may be the network's, and a refusal. (What is unconfirmed has been sent.)
bool is_of_reach(ErrorCode code) {
  return code == ErrorCode::connect_refused || (code != ErrorCode::unconfirmed && may_be_network(code));
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
