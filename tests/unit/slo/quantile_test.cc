#include "probe/slo/quantile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/unit/slo/random.h"

namespace slosonde::slo {
namespace {

using namespace std::chrono_literals;

constexpr Instant kMidnight = instant_from_unix_ns(1'769'817'600'000'000'000);
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// All samples in a list, sorted for every question.
class PlainSamples {
 public:
  void add(Instant t, double at_least_s, bool censored) {
    newest_ = std::max(newest_, t);
    samples_.push_back({newest_, at_least_s, censored ? kInfinity : at_least_s, censored});
  }

  Quantiles quantiles(Duration window, Instant now) const {
    const int64_t now_ns = unix_ns(now);
    const int64_t from_ns = now_ns - now_ns % 10'000'000'000 - window.count();
    std::vector<double> low;
    std::vector<double> high;
    Quantiles result;
    for (size_t i = samples_.size(); i > 0 && low.size() < 65'536; --i) {
      const Sample& sample = samples_[i - 1];
      if (unix_ns(sample.t) < from_ns) break;
      low.push_back(sample.low);
      high.push_back(sample.high);
      result.censored += sample.censored ? 1 : 0;
    }
    std::sort(low.begin(), low.end());
    std::sort(high.begin(), high.end());
    result.samples = static_cast<uint32_t>(low.size());
    if (low.empty()) return result;
    for (size_t i = 0; i < kPercents.size(); ++i) result.at[i] = estimate(low, high, kPercents[i] / 100.0);
    return result;
  }

 private:
  struct Sample {
    Instant t;
    double low;
    double high;
    bool censored;
  };

  static double share_of(size_t n, double q, size_t k) {  // P(Bin(n, q) = k)
    return std::exp(std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(k) + 1) -
                    std::lgamma(static_cast<double>(n - k) + 1) + static_cast<double>(k) * std::log(q) +
                    static_cast<double>(n - k) * std::log(1 - q));
  }

  static QuantileEstimate estimate(const std::vector<double>& low, const std::vector<double>& high, double q) {
    const size_t n = low.size();
    QuantileEstimate result;
    result.point = high[static_cast<size_t>(std::ceil(static_cast<double>(n) * q - 1e-9)) - 1];
    double below = 0;  // P(Bin(n, q) <= rank - 1)
    for (size_t rank = 1; rank <= n; ++rank) {
      below += share_of(n, q, rank - 1);
      if (1 - below >= 0.95 - 1e-9) result.lower = low[rank - 1];
      if (below >= 0.95 && !result.upper) result.upper = high[rank - 1];
    }
    return result;
  }

  Instant newest_{};
  std::vector<Sample> samples_;
};

void expect_equal(const Quantiles& got, const Quantiles& wanted) {
  ASSERT_EQ(got.samples, wanted.samples);
  ASSERT_EQ(got.censored, wanted.censored);
  for (size_t i = 0; i < kPercents.size(); ++i) {
    ASSERT_EQ(got.at[i].has_value(), wanted.at[i].has_value());
    if (!got.at[i]) continue;
    ASSERT_DOUBLE_EQ(got.at[i]->point, wanted.at[i]->point) << kPercents[i];
    ASSERT_EQ(got.at[i]->lower.has_value(), wanted.at[i]->lower.has_value()) << kPercents[i];
    ASSERT_EQ(got.at[i]->upper.has_value(), wanted.at[i]->upper.has_value()) << kPercents[i];
    if (got.at[i]->lower) {
      ASSERT_DOUBLE_EQ(*got.at[i]->lower, *wanted.at[i]->lower) << kPercents[i];
    }
    if (got.at[i]->upper) {
      ASSERT_DOUBLE_EQ(*got.at[i]->upper, *wanted.at[i]->upper) << kPercents[i];
    }
  }
}

void add_random(Random& random, Instant t, double censored, LatencySamples& real, PlainSamples& plain) {
  if (random.chance(censored)) {
    const auto limit = Duration(std::chrono::milliseconds(random.between(1, 90'000)));
    real.add_censored(t, limit + random.up_to(999us));
    plain.add(t, seconds(limit), true);
    return;
  }
  const auto latency = Duration(std::chrono::microseconds(random.between(0, 20'000'000)));
  real.add_seen(t, latency + random.up_to(999ns));
  plain.add(t, seconds(latency), false);
}

TEST(Quantiles, EqualASortedListOverRandomHistories) {
  std::vector<uint32_t> scratch;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    LatencySamples real;
    PlainSamples plain;
    Instant now = kMidnight + random.up_to(1h);
    const Duration pace = random.magnitude(100ms, 10min);
    const double censored = random.chance(0.3) ? 0 : random.unit() * random.unit();
    const int64_t samples = random.between(0, random.chance(0.02) ? 3000 : 150);
    for (int64_t i = 0; i < samples; ++i) {
      now += random.up_to(2 * pace);
      const Instant t = random.chance(0.1) ? now - random.up_to(5min) : now;
      add_random(random, t, censored, real, plain);
    }
    if (random.chance(0.3)) now += random.magnitude(1s, 7h);
    if (random.chance(0.3)) real.advance(now);
    for (const Duration window : kQuantileWindows) {
      expect_equal(real.quantiles(window, now, scratch), plain.quantiles(window, now));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(Quantiles, KeepTheNewest65536) {
  Random random(3);
  LatencySamples real;
  PlainSamples plain;
  Instant now = kMidnight;
  for (int i = 0; i < 150'000; ++i) {
    now += 20ms;
    const auto latency = Duration(std::chrono::microseconds(random.between(0, 1000) + i));
    real.add_seen(now, latency);
    ASSERT_LE(real.size(), kMostSamples + 1024);
  }
  std::vector<uint32_t> scratch;
  const Quantiles six_hours = real.quantiles(6h, now, scratch);
  EXPECT_EQ(six_hours.samples, kMostSamples);
  // The oldest kept is number 150'000 - 65'536, the values rise by 1 us a sample: the median is some 32'768 further on.
  EXPECT_NEAR(six_hours.at[0]->point, (150'000 - 32'768 + 500) * 1e-6, 600e-6);
  EXPECT_EQ(real.quantiles(5min, now, scratch).samples, 15'001U);
  EXPECT_LT(real.memory_bytes(), 300U * 1024);
}

TEST(Quantiles, ALateSampleCountsWithTheNewestWhereverItIsStored) {
  for (const int before : {1, 1023, 1024, 1025, 2048}) {
    LatencySamples samples;
    for (int i = 0; i < before; ++i) samples.add_seen(kMidnight, 1s);
    samples.add_seen(kMidnight - 10min, 2s);
    std::vector<uint32_t> scratch;
    EXPECT_EQ(samples.quantiles(5min, kMidnight, scratch).samples, static_cast<uint32_t>(before) + 1);
  }
}

TEST(Quantiles, ByHand) {
  LatencySamples samples;
  for (int i = 100; i >= 1; --i) samples.add_seen(kMidnight, i * 1ms);
  std::vector<uint32_t> scratch;
  const Quantiles result = samples.quantiles(5min, kMidnight, scratch);
  EXPECT_EQ(result.samples, 100U);
  EXPECT_DOUBLE_EQ(result.at[0]->point, 0.050);
  EXPECT_DOUBLE_EQ(result.at[1]->point, 0.095);
  EXPECT_DOUBLE_EQ(result.at[2]->point, 0.099);
  // n = 100: P(Bin(100, 1/2) <= 41) = .0443, <= 42 = .0666 (any binomial table): the 42nd and the 59th.
  EXPECT_DOUBLE_EQ(result.at[0]->lower.value(), 0.042);
  EXPECT_DOUBLE_EQ(result.at[0]->upper.value(), 0.059);
  // P(Bin(100, .95) <= 98) = 1 - .95^100 - 100 * .95^99 * .05 = .9629, and <= 97 has .8817: the 99th.
  EXPECT_DOUBLE_EQ(result.at[1]->upper.value(), 0.099);
  EXPECT_FALSE(result.at[2]->upper);
}

TEST(Quantiles, ALostRunIsInfiniteAboveAndItsLimitBelow) {
  LatencySamples samples;
  for (int i = 0; i < 90; ++i) samples.add_seen(kMidnight, 1s);
  for (int i = 0; i < 10; ++i) samples.add_censored(kMidnight, 30s);
  std::vector<uint32_t> scratch;
  const Quantiles result = samples.quantiles(1h, kMidnight, scratch);
  EXPECT_EQ(result.censored, 10U);
  EXPECT_DOUBLE_EQ(result.at[0]->upper.value(), 1.0);
  EXPECT_EQ(result.at[1]->point, kInfinity);
  EXPECT_EQ(result.at[1]->upper.value(), kInfinity);
  EXPECT_DOUBLE_EQ(result.at[1]->lower.value(), 30.0);  // rank 91: P(Bin(100, .95) <= 90) = .028
}

TEST(Quantiles, ACensoredRunSortsBelowSlowerOnesWhereItsLimitCounts) {
  LatencySamples samples;
  for (int i = 0; i < 5; ++i) samples.add_censored(kMidnight, 2s);
  for (int i = 0; i < 5; ++i) samples.add_seen(kMidnight, 9s);
  std::vector<uint32_t> scratch;
  const Quantiles result = samples.quantiles(1h, kMidnight, scratch);
  EXPECT_DOUBLE_EQ(result.at[0]->lower.value(), 2.0);  // rank 2
  EXPECT_DOUBLE_EQ(result.at[0]->point, 9.0);          // rank 5 of 9 9 9 9 9 inf inf inf inf inf
  EXPECT_EQ(result.at[0]->upper.value(), kInfinity);   // rank 9
}

TEST(Quantiles, LatenciesBeyondTheLongestExactAreCensored) {
  LatencySamples samples;
  samples.add_seen(kMidnight, kLongestExact);
  std::vector<uint32_t> scratch;
  EXPECT_DOUBLE_EQ(samples.quantiles(1h, kMidnight, scratch).at[1]->point, seconds(kLongestExact));
  samples.add_seen(kMidnight, kLongestExact + 1us);
  samples.add_seen(kMidnight, 2h);
  samples.add_censored(kMidnight, 24h);
  samples.add_seen(kMidnight, -5s);
  const Quantiles result = samples.quantiles(1h, kMidnight, scratch);
  EXPECT_EQ(result.censored, 3U);
  EXPECT_EQ(result.at[1]->point, kInfinity);
  EXPECT_DOUBLE_EQ(result.at[0]->lower.value(), 0.0);  // the one that came before it was due
}

TEST(Quantiles, NothingSeenNothingSaid) {
  LatencySamples samples;
  std::vector<uint32_t> scratch;
  Quantiles result = samples.quantiles(5min, kMidnight, scratch);
  EXPECT_EQ(result.samples, 0U);
  EXPECT_FALSE(result.at[0]);
  samples.add_seen(kMidnight, 1s);
  result = samples.quantiles(5min, kMidnight + 5min + 10s, scratch);
  EXPECT_FALSE(result.at[0]);
  EXPECT_TRUE(samples.quantiles(5min, kMidnight + 5min + 9s, scratch).at[0]);
}

TEST(Quantiles, TakeNothingUntilTheFirstSampleAndGiveItBackAfterwards) {
  LatencySamples samples;
  EXPECT_EQ(samples.memory_bytes(), sizeof(LatencySamples));
  for (int i = 0; i < 6 * 240; ++i) samples.add_seen(kMidnight + i * 15s, 1s);
  EXPECT_LT(samples.memory_bytes(), 32U * 1024);
  samples.advance(kMidnight + 12h + 10s);
  EXPECT_EQ(samples.size(), 0U);
  EXPECT_LT(samples.memory_bytes(), 1024U);
}

TEST(Quantiles, ACopyStaysAsItWas) {
  LatencySamples samples;
  for (int i = 0; i < 5000; ++i) samples.add_seen(kMidnight, 1ms);
  const LatencySamples copy = samples;
  for (int i = 0; i < 50'000; ++i) samples.add_seen(kMidnight + 7h, 9ms);
  std::vector<uint32_t> scratch;
  const Quantiles result = copy.quantiles(6h, kMidnight, scratch);
  EXPECT_EQ(result.samples, 5000U);
  EXPECT_DOUBLE_EQ(result.at[2]->upper.value(), 0.001);
  EXPECT_EQ(samples.quantiles(6h, kMidnight + 7h, scratch).samples, 50'000U);
}

// The upper bound of the p95 holds in at least 95 % of all samples of independent runs, and is not idly wide.
TEST(Quantiles, BoundsHoldAsOftenAsTheySay) {
  Random random(11);
  std::vector<uint32_t> scratch;
  int above = 0;
  int below = 0;
  constexpr int kRounds = 4000;
  for (int round = 0; round < kRounds; ++round) {
    LatencySamples samples;
    for (int i = 0; i < 120; ++i)
      samples.add_seen(kMidnight, Duration(static_cast<int64_t>(-std::log(1 - random.unit()) * 1e9)));
    const double p95 = -std::log(0.05);
    const Quantiles result = samples.quantiles(1h, kMidnight, scratch);
    above += result.at[1]->upper.value() >= p95 ? 1 : 0;
    below += result.at[1]->lower.value() <= p95 ? 1 : 0;
  }
  EXPECT_GE(above, kRounds * 0.94);
  EXPECT_GE(below, kRounds * 0.94);
  EXPECT_LE(above, kRounds * 0.999);
  EXPECT_LE(below, kRounds * 0.999);
}

}  // namespace
}  // namespace slosonde::slo
