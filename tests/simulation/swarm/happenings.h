// What is yet to happen in a simulated world: functions and their times, in a repeatable order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "tests/simulation/swarm/scenario.h"

namespace slosonde::swarm {

class Happenings {
 public:
  void at(Time when, std::function<void()> what) {
    heap_.push_back({when, order_++, std::move(what)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  Time next() const { return heap_.empty() ? INT64_MAX : heap_.front().at; }
  std::function<void()> pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    auto what = std::move(heap_.back().what);
    heap_.pop_back();
    return what;
  }
  // The clock by which all this goes is set: nothing comes earlier or later for it.
  void shift(Time by) {
    for (Happening& one : heap_) one.at += by;
  }
  size_t size() const { return heap_.size(); }

 private:
  struct Happening {
    Time at;
    uint64_t order;
    std::function<void()> what;
  };
  static bool later(const Happening& a, const Happening& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }
  std::vector<Happening> heap_;
  uint64_t order_ = 0;
};

}  // namespace slosonde::swarm
