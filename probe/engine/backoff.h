// How much less often a transaction is run while its target cannot be reached.
#pragma once

#include <optional>

#include "probe/base/time.h"
#include "probe/engine/run_state.h"

namespace slosonde::engine {

// Whether the run is bad because a check could not reach its target: refused, no answer in time, broken off, no name. A
// wrong answer is one, and what a watch does not see says nothing of any target.
bool was_unreachable(const Run& run);

// One transaction's. After kPatience runs in a row that could not reach the target the next one starts two intervals
// after the last, then four, eight, … with each further one, at most `most`; runs count in the order in which they are
// decided, those that were in flight meanwhile, too. The first that does reach it ends that at once. What lies in
// between is missed: that is the caller's to say. Pure; engine thread.
class Backoff {
 public:
  static constexpr unsigned kPatience = 3;

  // `most`: 0, or at least `every`. 0: every slot is started.
  Backoff(Duration every, Duration most) : every_(every), most_(most) {}

  void decided(bool unreachable) { failed_ = unreachable ? failed_ + 1 : 0; }
  void started(Instant slot) { last_ = slot; }
  bool may_start(Instant slot) const { return !last_ || slot - *last_ >= distance(); }

 private:
  Duration distance() const;

  Duration every_, most_;
  unsigned failed_ = 0;  // in a row
  std::optional<Instant> last_;
};

}  // namespace slosonde::engine
