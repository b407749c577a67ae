// What is yet to happen in a simulated world: functions and their times, in a repeatable order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "tests/simulation/swarm/scenario.h"

namespace slosonde::swarm {

// The heap holds places among the functions, which stay where they are: they are dear to move.
class Happenings {
 public:
  static constexpr int kAnyLife = 0;

  struct Happening {
    int life = kAnyLife;  // the process whose death undoes it
    std::function<void()> what;
  };

  void at(Time when, int life, std::function<void()> what) {
    uint32_t place = static_cast<uint32_t>(places_.size());
    if (free_.empty()) {
      places_.push_back({life, std::move(what)});
    } else {
      place = free_.back();
      free_.pop_back();
      places_[place] = {life, std::move(what)};
    }
    heap_.push_back({when, order_++, place});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  Time next() const { return heap_.empty() ? INT64_MAX : heap_.front().at; }
  Happening pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const uint32_t place = heap_.back().place;
    heap_.pop_back();
    free_.push_back(place);
    return std::move(places_[place]);
  }
  // The clock by which all this goes is set: nothing comes earlier or later for it.
  void shift(Time by) {
    for (Entry& one : heap_) one.at += by;
  }
  size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    Time at;
    uint64_t order;
    uint32_t place;
  };
  static bool later(const Entry& a, const Entry& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }
  std::vector<Entry> heap_;
  std::vector<Happening> places_;
  std::vector<uint32_t> free_;
  uint64_t order_ = 0;
};

}  // namespace slosonde::swarm
