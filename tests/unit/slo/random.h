// The same numbers on every machine: splitmix64 (Steele, Lea, Flood, OOPSLA 2014) and the few draws the tests need.
#pragma once

#include <cmath>
#include <cstdint>

#include "probe/base/time.h"

namespace slosonde::slo {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t n) { return next() % n; }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  bool chance(double share) { return unit() < share; }

  // Every order of magnitude in [low, high] is as likely as every other.
  Duration magnitude(Duration low, Duration high) {
    const double power = unit() * std::log(seconds(high) / seconds(low));
    return Duration(static_cast<int64_t>(static_cast<double>(low.count()) * std::exp(power)));
  }
  Duration up_to(Duration most) { return Duration(between(0, most.count())); }

 private:
  uint64_t state_;
};

}  // namespace slosonde::slo
