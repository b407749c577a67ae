#include "probe/slo/burn.h"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <limits>

#include "tests/unit/slo/random.h"

namespace slosonde::slo {
namespace {

using namespace std::chrono_literals;
using Fraction = boost::multiprecision::cpp_rational;

constexpr Objective k999{.good_ppb = 999'000'000};

// bad / N > factor * b, in fractions of any length.
Fraction fraction_n(const Counts& counts, Refill refill) {
  return Fraction(counts.good) + Fraction(counts.bad) + Fraction(refill.unobserved.count()) / refill.every.count();
}
Fraction fraction_b(Objective objective) {
  return 1 - Fraction(objective.good_ppb) / 1'000'000'000;
}
bool plainly_over(const Counts& counts, Refill refill, BurnFactor factor, Objective objective) {
  return Fraction(counts.bad) > Fraction(factor.milli) / 1000 * fraction_b(objective) * fraction_n(counts, refill);
}

Objective random_objective(Random& random) {
  if (random.chance(0.5)) return {.good_ppb = random.between(900, 999) * 1'000'000};
  return {.good_ppb = random.between(1, kWhole_ppb - 1)};
}

Refill random_refill(Random& random) {
  const Duration every = random.chance(0.5) ? Duration(std::chrono::seconds(random.between(1, 300)))
                                            : Duration(random.between(1, 400'000'000'000));
  return {.every = every, .unobserved = random.chance(0.5) ? Duration(0) : random.up_to(kLongestPeriod)};
}

TEST(Over, EqualsTheInequalityInFractions) {
  int overs = 0;
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    const Objective objective = random_objective(random);
    const Refill refill = random_refill(random);
    // Mostly factors that can be exceeded.
    const auto most = std::min<int64_t>(30'000, 1100 * kWhole_ppb / objective.budget_ppb());
    const BurnFactor factor{static_cast<uint32_t>(random.between(0, most))};
    Counts counts{.good = random.next() >> random.between(1, 63), .blind = random.below(1000)};
    // Near the threshold, where it matters; now and then anywhere. (Bad runs are part of N themselves.)
    const auto share = static_cast<double>(Fraction(Fraction(factor.milli) / 1000 * fraction_b(objective)));
    const double edge = share / std::max(1 - share, 1e-9) * static_cast<double>(fraction_n(counts, refill));
    const double near = std::min(edge, 1e18) + static_cast<double>(random.between(-2, 2));
    counts.bad =
        random.chance(0.9) ? static_cast<uint64_t>(std::max(near, 0.0)) : random.next() >> random.between(1, 63);
    const bool wanted = plainly_over(counts, refill, factor, objective);
    ASSERT_EQ(over(counts, refill, factor, objective), wanted) << seed;
    overs += wanted ? 1 : 0;
  }
  EXPECT_GT(overs, 2000);
  EXPECT_LT(overs, 18'000);
}

TEST(Over, IsStrict) {
  const Refill none{.every = 15s, .unobserved = 0s};
  EXPECT_FALSE(over({.good = 998, .bad = 2}, none, {2000}, k999));  // 2 of 1,000 is 2 * .1 %, no more
  EXPECT_TRUE(over({.good = 997, .bad = 2}, none, {2000}, k999));
  EXPECT_FALSE(over({}, none, {1000}, k999));
  // 14.4 * .1 % * 625 = 9, which no double of 14.4 * 0.001 says.
  EXPECT_FALSE(over({.good = 616, .bad = 9}, none, {14'400}, k999));
  EXPECT_TRUE(over({.good = 615, .bad = 9}, none, {14'400}, k999));
}

TEST(Over, RefillStandsForGoodRuns) {
  const Counts counts{.good = 0, .bad = 3};
  // An hour at 15 s is 240 runs: 14.4 * .1 % * 240 = 3.456.
  EXPECT_TRUE(over(counts, {.every = 15s, .unobserved = 0s}, {14'400}, k999));
  EXPECT_FALSE(over(counts, {.every = 15s, .unobserved = 237 * 15s}, {14'400}, k999));
  EXPECT_TRUE(over({.bad = 4}, {.every = 15s, .unobserved = 236 * 15s}, {14'400}, k999));
}

TEST(Over, DoesNotOverflow) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  const Refill refill{.every = Duration::max(), .unobserved = Duration::max()};
  EXPECT_TRUE(over({.bad = kMost}, refill, {1000}, {.good_ppb = 1}));
  EXPECT_FALSE(over({.good = kMost - 1, .bad = 1}, refill, {1000}, {.good_ppb = 1}));
}

// The Site Reliability Workbook, ch. 5: for a 99.9 % objective over 30 days a burn rate of 1, 2, 10, 1,000 is an error
// rate of .1, .2, 1, 100 %, and exhausts the budget after 30 days, 15 days, 3 days, 43 minutes.
TEST(BurnRate, WorkbookTimesToExhaustion) {
  struct Row {
    double burn;
    Counts counts;
    Duration exhausted_after;
  };
  const Row rows[] = {{1, {.good = 999, .bad = 1}, 720h},
                      {2, {.good = 998, .bad = 2}, 360h},
                      {10, {.good = 99, .bad = 1}, 72h},
                      {1000, {.good = 0, .bad = 5}, 43min + 12s}};
  for (const Row& row : rows) {
    EXPECT_DOUBLE_EQ(burn_rate(row.counts, k999).value(), row.burn);
    // One run a second at that rate, from a clean start, for so long.
    const auto runs = static_cast<uint64_t>(row.exhausted_after / 1s);
    const uint64_t bad = runs * row.counts.bad / row.counts.judged();
    const Refill refill{.every = 1s, .unobserved = 720h - row.exhausted_after};
    EXPECT_NEAR(budget_remaining({.good = runs - bad, .bad = bad}, refill, k999).value(), 0, 1e-3);
  }
}

TEST(BurnRate, NothingJudgedHasNoBurnRate) {
  EXPECT_FALSE(burn_rate({.blind = 5, .missed = 7, .excluded_bad = 9}, k999));
  EXPECT_DOUBLE_EQ(burn_rate({.good = 5}, k999).value(), 0);
}

TEST(Budget, ByHand) {
  // 30 d at one run a minute: 43,200 runs, of which 43.2 may fail.
  const Refill seen{.every = 1min, .unobserved = 0s};
  EXPECT_DOUBLE_EQ(budget_remaining({.good = 43'200 - 27, .bad = 27}, seen, k999).value(), 0.375);
  // A tenth of the period seen: the same failures weigh the same, though the observed budget is long gone.
  const Refill young{.every = 1min, .unobserved = 27 * 24h};
  const Counts counts{.good = 4320 - 27, .bad = 27};
  EXPECT_DOUBLE_EQ(budget_remaining(counts, young, k999).value(), 0.375);
  EXPECT_DOUBLE_EQ(budget_remaining_observed(counts, k999).value(), 1 - 27 / 4.32);
  EXPECT_DOUBLE_EQ(budget_remaining({}, young, k999).value(), 1);
  EXPECT_FALSE(budget_remaining({.blind = 9}, seen, k999));
  EXPECT_FALSE(budget_remaining_observed({.blind = 9}, k999));
}

TEST(Budget, ExactlySpentIsExactlyZero) {
  for (int64_t permille = 1; permille < 1000; ++permille) {
    const Objective objective{.good_ppb = kWhole_ppb - permille * 1'000'000};
    const auto bad = static_cast<uint64_t>(permille);
    EXPECT_EQ(budget_remaining_observed({.good = 1000 - bad, .bad = bad}, objective), 0.0);
    EXPECT_EQ(budget_remaining({.bad = bad}, {.every = 7s, .unobserved = (1000 - permille) * 7s}, objective), 0.0);
  }
}

TEST(Budget, EqualsTheFractions) {
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    Random random(seed);
    const Objective objective = random_objective(random);
    const Refill refill = random_refill(random);
    const Counts counts{.good = random.below(10'000'000), .bad = random.below(random.chance(0.5) ? 10 : 1'000'000)};
    const Fraction n = fraction_n(counts, refill);
    if (n == 0) continue;
    const auto wanted = static_cast<double>(Fraction(1 - Fraction(counts.bad) / (fraction_b(objective) * n)));
    ASSERT_NEAR(budget_remaining(counts, refill, objective).value(), wanted, 1e-14 * (1 + std::fabs(wanted))) << seed;
    if (counts.judged() == 0) continue;
    const Fraction share = Fraction(counts.bad) / counts.judged();
    const auto burn = static_cast<double>(Fraction(share / fraction_b(objective)));
    ASSERT_NEAR(burn_rate(counts, objective).value(), burn, 1e-14 * (1 + burn)) << seed;
    ASSERT_NEAR(budget_remaining_observed(counts, objective).value(), 1 - burn, 1e-14 * (1 + burn)) << seed;
  }
}

TEST(FailuresOver, IsTheFirstCountThatIsOver) {
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    Random random(seed);
    const Objective objective = random_objective(random);
    const Duration every(std::chrono::milliseconds(random.between(100, 600'000)));
    const Duration span = every * random.between(1, 5000);
    const BurnFactor factor{static_cast<uint32_t>(random.between(1, 20'000))};
    const uint64_t k = failures_over(span, every, factor, objective);
    const auto n = static_cast<uint64_t>(span / every);
    if (k > n) continue;  // never over
    const Refill none{.every = every, .unobserved = 0s};
    ASSERT_TRUE(over({.good = n - k, .bad = k}, none, factor, objective)) << seed;
    ASSERT_FALSE(over({.good = n - k + 1, .bad = k - 1}, none, factor, objective)) << seed;
  }
}

TEST(FailuresOver, ByHand) {
  EXPECT_EQ(failures_over(1h, 15s, {14'400}, k999), 4U);  // 3.456
  EXPECT_EQ(failures_over(72h, 15s, {1000}, k999), 18U);  // 17.28
  EXPECT_EQ(failures_over(1000s, 1s, {1000}, k999), 2U);  // exactly 1
  EXPECT_EQ(failures_over(Duration::max(), Duration(1), {4'000'000'000}, {.good_ppb = 1}),
            std::numeric_limits<uint64_t>::max());
}

}  // namespace
}  // namespace slosonde::slo
