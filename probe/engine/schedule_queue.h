// What is due when: a heap of instants. Entries are never taken out early; whoever pops one asks whether it still means
// anything.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "probe/base/time.h"

namespace slosonde::engine {

// In the order in which things due at the same instant are done: windows move, runs are judged (which may make room),
// slots are started.
enum class DueKind : uint8_t { tick, run, slot };

struct DueEntry {
  Instant due{};
  DueKind kind = DueKind::tick;
  uint32_t transaction = 0;
  uint64_t order = 0;  // of insertion; makes the order total, hence repeatable
  uint64_t seq = 0;    // of the run
};

// Engine thread. push and pop are O(log n).
class ScheduleQueue {
 public:
  void push(Instant due, DueKind kind, uint32_t transaction = 0, uint64_t seq = 0) {
    heap_.push_back({due, kind, transaction, order_++, seq});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  DueEntry pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const DueEntry first = heap_.back();
    heap_.pop_back();
    return first;
  }

  Instant next() const { return heap_.empty() ? kNever : heap_.front().due; }
  size_t size() const { return heap_.size(); }

 private:
  static bool later(const DueEntry& a, const DueEntry& b) {
    if (a.due != b.due) return a.due > b.due;
    if (a.kind != b.kind) return a.kind > b.kind;
    return a.order > b.order;
  }

  std::vector<DueEntry> heap_;
  uint64_t order_ = 0;
};

}  // namespace slosonde::engine
