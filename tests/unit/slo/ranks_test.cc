#include "probe/slo/ranks.h"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <vector>

#include "tests/unit/slo/random.h"

namespace slosonde::slo {
namespace {

using boost::multiprecision::cpp_int;

// The definitions, in whole numbers of any length: P(Bin(n, q) = k) * 100^n = C(n, k) p^k (100 - p)^(n - k).
Ranks exact_ranks(uint32_t n, uint32_t percent) {
  std::vector<cpp_int> at_most(n + 1);  // P(Bin <= k) * 100^n
  cpp_int term = boost::multiprecision::pow(cpp_int(100 - percent), n);
  for (uint32_t k = 0; k <= n; ++k) {
    at_most[k] = (k == 0 ? cpp_int(0) : at_most[k - 1]) + term;
    term = term * (n - k) * percent / (k + 1) / (100 - percent);
  }
  const cpp_int whole = boost::multiprecision::pow(cpp_int(100), n);
  EXPECT_EQ(at_most[n], whole);
  Ranks result;
  while (result.point * 100 < n * percent) ++result.point;
  for (uint32_t l = 1; l <= n; ++l)
    if ((whole - at_most[l - 1]) * 100 >= whole * 95) result.lower = l;
  for (uint32_t u = n; u >= 1; --u)
    if (at_most[u - 1] * 100 >= whole * 95) result.upper = u;
  return result;
}

// The same from logarithms, for n whose exact numbers would be too long.
Ranks long_double_ranks(uint32_t n, uint32_t percent) {
  const long double q = percent / 100.0L;
  long double below = 0;
  Ranks result{.point = (n * percent + 99) / 100};
  for (uint32_t k = 0; k < n; ++k) {
    const long double log_term = std::lgamma(n + 1.0L) - std::lgamma(k + 1.0L) - std::lgamma(n - k + 1.0L) +
                                 k * std::log(q) + (n - k) * std::log(1 - q);
    below += std::exp(log_term);  // P(Bin <= k)
    if (1 - below >= 0.95L) result.lower = k + 1;
    if (below >= 0.95L && result.upper == 0) result.upper = k + 1;
  }
  return result;
}

void expect_equal(const Ranks& got, const Ranks& wanted, uint32_t n, uint32_t percent) {
  EXPECT_EQ(got.point, wanted.point) << "n " << n << " percent " << percent;
  EXPECT_EQ(got.lower, wanted.lower) << "n " << n << " percent " << percent;
  EXPECT_EQ(got.upper, wanted.upper) << "n " << n << " percent " << percent;
}

TEST(Ranks, EqualTheDefinitionInWholeNumbers) {
  for (const uint32_t percent : {50U, 95U, 99U})
    for (uint32_t n = 1; n <= 320; ++n) expect_equal(ranks(n, percent), exact_ranks(n, percent), n, percent);
  for (uint32_t percent = 1; percent <= 99; ++percent)
    for (const uint32_t n : {1U, 2U, 7U, 40U, 161U})
      expect_equal(ranks(n, percent), exact_ranks(n, percent), n, percent);
  expect_equal(ranks(1440, 95), exact_ranks(1440, 95), 1440, 95);
}

TEST(Ranks, EqualASumOfLogarithmsUpToTheLargestRing) {
  Random random(1);
  for (const uint32_t percent : {50U, 95U, 99U}) {
    for (int i = 0; i < 8; ++i) {
      const auto n = static_cast<uint32_t>(random.between(321, 12'000));
      expect_equal(ranks(n, percent), long_double_ranks(n, percent), n, percent);
    }
    expect_equal(ranks(65'536, percent), long_double_ranks(65'536, percent), 65'536, percent);
  }
}

// Wilks, Determination of sample sizes for setting tolerance limits, Ann. Math. Statist. 12 (1941): so many samples
// until the largest, second, third … largest bounds the quantile with 95 % confidence. The 95/95 and 99/95 rows are
// those used in best-estimate nuclear safety analysis (59, 93, 124, 153, 181; 299, 473, 628).
TEST(Ranks, WilksSampleSizes) {
  const std::vector<uint32_t> for_p95 = {59, 93, 124, 153, 181};
  for (uint32_t r = 0; r < for_p95.size(); ++r) {
    EXPECT_EQ(ranks(for_p95[r], 95).upper, for_p95[r] - r);
    EXPECT_EQ(ranks(for_p95[r] - 1, 95).upper, r == 0 ? 0 : for_p95[r] - r) << "one sample fewer";
  }
  const std::vector<uint32_t> for_p99 = {299, 473, 628};
  for (uint32_t r = 0; r < for_p99.size(); ++r) EXPECT_EQ(ranks(for_p99[r], 99).upper, for_p99[r] - r);
}

TEST(Ranks, NoUpperBoundWithFewerSamplesThanItNeeds) {
  EXPECT_EQ(ranks(58, 95).upper, 0U);
  EXPECT_EQ(ranks(298, 99).upper, 0U);
  EXPECT_EQ(ranks(4, 50).upper, 0U);
  EXPECT_EQ(ranks(5, 50).upper, 5U);
  EXPECT_EQ(ranks(0, 50), Ranks{});
}

// The sign test's critical values (any table of it; e.g. Conover, Practical Nonparametric Statistics, table A3): at n =
// 10 P(Bin(10, 1/2) <= 1) = 11/1024, at 2 it is 56/1024 > .05. At n = 20: 5 has 21700/2^20 = .0207, 6 has .0577.
TEST(Ranks, SignTestTable) {
  EXPECT_EQ(ranks(10, 50), (Ranks{.point = 5, .lower = 2, .upper = 9}));
  EXPECT_EQ(ranks(20, 50), (Ranks{.point = 10, .lower = 6, .upper = 15}));
}

TEST(Ranks, ASingleSampleBoundsTheP95FromBelowExactly) {
  EXPECT_EQ(ranks(1, 95), (Ranks{.point = 1, .lower = 1, .upper = 0}));
  EXPECT_EQ(ranks(1, 94).lower, 0U);
}

TEST(Ranks, LowerPointUpperInThisOrderAndNeverFallingWithN) {
  for (const uint32_t percent : {50U, 95U, 99U}) {
    Ranks before;
    for (uint32_t n = 1; n <= 3000; ++n) {
      const Ranks now = ranks(n, percent);
      ASSERT_LE(now.lower, now.point) << n;
      ASSERT_GE(now.lower, before.lower) << n;
      if (now.upper != 0) {
        ASSERT_GE(now.upper, now.point) << n;
        ASSERT_GE(now.upper, before.upper) << n;
        ASSERT_LE(now.upper, n);
      } else {
        ASSERT_EQ(before.upper, 0U) << n;
      }
      before = now;
    }
  }
}

}  // namespace
}  // namespace slosonde::slo
