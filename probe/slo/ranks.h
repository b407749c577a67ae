// Which order statistics bound a quantile, whatever the distribution: with n independent samples, the number of them
// below the true q-quantile is binomial(n, q). (Hahn & Meeker, Statistical Intervals, ch. 5; the one-sided tolerance
// table there and Wilks 1941 have n = 59 for 95/95 and n = 299 for 95/99.)
#pragma once

#include <cstdint>

namespace slosonde::slo {

// Ranks count from 1, the smallest sample; 0: there is none at this n.
struct Ranks {
  uint32_t point = 0;  // ceil(n * q)
  uint32_t lower = 0;  // max l with P(Bin(n, q) >= l) >= 0.95: true q-quantile >= the l-th with 95 % confidence
  uint32_t upper = 0;  // min u with P(Bin(n, q) <= u - 1) >= 0.95; needs n >= 5, 59, 299 for q = .5, .95, .99

  friend bool operator==(const Ranks&, const Ranks&) = default;
};

// `percent` in [1, 99]. n up to 65,536 at least. O(sqrt(n)): some microseconds at the largest n. Each bound holds by
// itself (one-sided 95 %); both together 90 %.
Ranks ranks(uint32_t n, uint32_t percent);

}  // namespace slosonde::slo
