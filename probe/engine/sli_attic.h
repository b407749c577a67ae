// The counts of SLIs that no SLO of the plan in force has, for a later plan that has them again.
#pragma once

#include <functional>
#include <string>

#include "probe/store/batch.h"

namespace slosonde::engine {

// Engine thread.
class SliAttic {
 public:
  // The longest unused go first.
  static constexpr size_t kMost = 64;

  // Keeps of `counts` (and of what is there) the SLIs that are not in use. None was used later than `now`: a clock that
  // was wrong once must not make them younger than all others for good.
  using InUse = std::function<bool(const std::string& definition)>;
  void put(const store::Batch& counts, Instant now, const InUse& in_use);

  // Everything there is, for a book to go on from or for a store.
  void add_to(store::Batch& batch) const;

 private:
  store::Batch kept_;  // slis and counts
};

}  // namespace slosonde::engine
