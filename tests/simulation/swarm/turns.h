// The instants of a process's turns, in their order, of which the oldest are forgotten.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "tests/simulation/swarm/scenario.h"

namespace slosonde::swarm {

class Turns {
 public:
  void push_back(Time at) { all_.push_back(at); }
  void forget_before(Time t) {
    while (first_ < all_.size() && all_[first_] < t) ++first_;
    if (first_ < all_.size() / 2) return;
    all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = near_ = 0;
  }
  void undo_after(Time t) {
    while (first_ < all_.size() && all_.back() > t) all_.pop_back();
    near_ = first_;
  }
  // The first one not before `t`. Most that is asked is asked near to what was asked before.
  std::optional<Time> at_or_after(Time t) const {
    if (first_ == all_.size()) return std::nullopt;
    size_t low = std::clamp(near_, first_, all_.size() - 1), high = low;
    for (size_t reach = 1; high < all_.size() && all_[high] < t; reach *= 2) {
      low = high + 1;
      high += reach;
    }
    for (size_t reach = 1; low > first_ && all_[low - 1] >= t; reach *= 2) {
      high = low - 1;
      low -= std::min(reach, low - first_);
    }
    const auto from = all_.begin() + static_cast<std::ptrdiff_t>(low);
    const auto to = all_.begin() + static_cast<std::ptrdiff_t>(std::min(high, all_.size()));
    const auto found = std::lower_bound(from, to, t);
    near_ = static_cast<size_t>(found - all_.begin());
    if (found == all_.end()) return std::nullopt;
    return *found;
  }

 private:
  std::vector<Time> all_;
  size_t first_ = 0;         // before it is forgotten
  mutable size_t near_ = 0;  // where the last one was found
};

}  // namespace slosonde::swarm
