// Randomness that is the same on every machine and with every library.
#pragma once

#include <cmath>
#include <cstdint>

namespace slosonde::simulation {

// splitmix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // In [0, 1).
  double share() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  bool happens(double probability) { return share() < probability; }
  // In [low, high).
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(bits() % static_cast<uint64_t>(high - low));
  }
  // Heavy-tailed: Pareto with shape 1.6. Never more than `most`. By square roots alone, which IEEE 754 rounds the same
  // everywhere: u^(-1/2) * u^(-1/8) = u^(-1/1.6).
  int64_t heavy(int64_t least, int64_t most) {
    const double u = 1 - share();
    const double root = std::sqrt(u);
    const double value = static_cast<double>(least) / (root * std::sqrt(std::sqrt(root)));
    return value > static_cast<double>(most) ? most : static_cast<int64_t>(value);
  }

 private:
  uint64_t state_;
};

}  // namespace slosonde::simulation
