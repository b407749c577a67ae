// Who waits to hear that what they told the running probe is done.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "probe/base/result.h"
#include "probe/base/time.h"

namespace slosonde::engine {

// What is said to be done must survive a kill, and be seen by whoever looks then: each waits until what was taken on by
// its instant is settled. In the order in which they came. Engine thread.
class Acknowledgements {
 public:
  using Done = std::function<void(Result<void>)>;

  void wait(Instant taken, Done done) { waiting_.push_back({taken, std::move(done)}); }
  bool empty() const { return waiting_.empty(); }

  // Tells those for which settled(taken) holds. They may come back with another one meanwhile.
  template <class Settled>
  void tell(const Settled& settled) {
    const auto waits = [&](const One& one) { return !settled(one.taken); };
    const auto rest = std::stable_partition(waiting_.begin(), waiting_.end(), waits);
    std::vector<One> done(std::make_move_iterator(rest), std::make_move_iterator(waiting_.end()));
    waiting_.erase(rest, waiting_.end());
    for (const One& one : done) one.done({});
  }

 private:
  struct One {
    Instant taken;
    Done done;
  };
  std::vector<One> waiting_;
};

}  // namespace slosonde::engine
