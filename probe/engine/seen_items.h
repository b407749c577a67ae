// At which storage positions one stage has seen a run's marker: what tells a second copy from a redelivery.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace slosonde::engine {

// Exact for the first kMost positions. From then on the oldest but the first kInline is forgotten for each new one:
// should a forgotten one be delivered again it counts as one more copy, and never as none. A stage that sees each
// marker once or a few times, as all should, allocates nothing; one that is flooded with copies takes 1 KiB a run.
class SeenItems {
 public:
  static constexpr size_t kInline = 4;
  static constexpr size_t kMost = 128;

  // Whether `item` had not been seen.
  bool add(uint64_t item) {
    const auto inline_end = first_.begin() + static_cast<ptrdiff_t>(std::min<size_t>(count_, kInline));
    if (std::find(first_.begin(), inline_end, item) != inline_end) return false;
    if (std::find(more_.begin(), more_.end(), item) != more_.end()) return false;
    if (count_ < kInline) {
      first_[count_] = item;
    } else if (more_.size() < kMost - kInline) {
      more_.push_back(item);
    } else {
      more_[(count_ - kInline) % more_.size()] = item;
    }
    ++count_;
    return true;
  }

  // Those that are remembered; added to another one, in this order, they make it know the same.
  std::vector<uint64_t> kept() const {
    std::vector<uint64_t> all(first_.begin(),
                              first_.begin() + static_cast<ptrdiff_t>(std::min<size_t>(count_, kInline)));
    all.insert(all.end(), more_.begin(), more_.end());
    return all;
  }

 private:
  uint64_t count_ = 0;  // of positions added, the forgotten ones among them
  std::array<uint64_t, kInline> first_{};
  std::vector<uint64_t> more_;
};

}  // namespace slosonde::engine
