// How long the engine was kept from its work: it waited for a processor, or stood still altogether.
#pragma once

#include <algorithm>
#include <optional>

#include "probe/base/time.h"
#include "probe/engine/core.h"
#include "probe/io/io.h"

namespace slosonde::engine {

// The kernel counts only the waiting of whoever has work: a process that is stopped, or a machine that is paused, has
// none. Those show in how late the loop comes round. Engine thread.
class HeldUp {
 public:
  // Outlives it.
  explicit HeldUp(io::Io& io);

  // The loop is to come round at `when`, or at an instant told before that is earlier; and it has.
  void expects(Instant when) { expected_ = std::min(expected_, when); }
  void came_round(Instant now);

  // What was not told yet; nothing: too little time has passed to ask.
  std::optional<Starved> look(Instant now);

 private:
  Duration stands_still(Instant now) const;

  io::Io& io_;
  Instant asked_;
  Duration processor_wait_;
  Instant expected_ = kNever;
  Duration stood_still_{};  // since asked_, till the loop came round
};

}  // namespace slosonde::engine
