#include "probe/slo/history.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "tests/unit/slo/plain_history.h"
#include "tests/unit/slo/random.h"

namespace slosonde::slo {
namespace {

using namespace std::chrono_literals;

// 2026-01-31 00:00:00 UTC: on every slot's edge.
constexpr Instant kMidnight = instant_from_unix_ns(1'769'817'600'000'000'000);

// A history and its slow double, driven by the same draws.
struct Pair {
  History real;
  PlainHistory plain;
  Duration pace;

  void operate(Random& random) {
    const double what = random.unit();
    Instant t = real.now();
    if (what < 0.75)
      t += random.up_to(2 * pace);
    else if (what < 0.97)
      t -= random.up_to(random.chance(0.8) ? Duration(15min) : Duration(2h));
    else if (what < 0.98)
      t += random.magnitude(1s, 2 * real.period());
    if (random.chance(0.2)) {
      real.advance(t);
      plain.advance(t);
      return;
    }
    const auto event = static_cast<Event>(random.below(kEvents));
    const uint64_t n = random.chance(0.9) ? 1 : random.below(1000);
    real.add(t, event, n);
    plain.add(t, event, n);
  }

  void compare() const {
    for (const Duration window : real.windows()) {
      ASSERT_EQ(real.sum(window), plain.sum(window.count())) << format_duration(window);
      ASSERT_EQ(unix_ns(real.window_start(window)), plain.window_start_ns(window.count()));
      ASSERT_EQ(real.unobserved(window).count(), plain.unobserved_ns(window.count()));
    }
    ASSERT_EQ(real.moved(), plain.moved());
  }
};

Pair random_pair(Random& random) {
  const Instant start = random.chance(0.1)
                            ? instant_from_unix_ns(random.between(-90'000'000'000'000, 90'000'000'000'000))
                            : kMidnight + random.up_to(48h);
  const Duration period = random.magnitude(random.chance(0.2) ? 1min : 1h, kLongestPeriod);
  std::vector<Duration> windows;
  for (uint64_t i = random.below(9); i > 0; --i) windows.push_back(random.magnitude(1s, period));
  const Duration slowest = random.chance(0.02) ? 6h : 5min;
  return {History(start, period, windows), PlainHistory(start), random.magnitude(100ms, slowest)};
}

TEST(History, EqualsAListOfEventsOverTenThousandRandomHistories) {
  for (uint64_t seed = 0; seed < 10'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Pair pair = random_pair(random);
    for (int i = 0; i < 120; ++i) {
      pair.operate(random);
      if (random.chance(0.1)) pair.compare();
      if (testing::Test::HasFatalFailure()) return;
    }
    pair.compare();
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(History, ACopyStaysAsItWasAndGoesOnByItself) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Pair pair = random_pair(random);
    for (int i = 0; i < 60; ++i) pair.operate(random);
    Pair copy = pair;
    for (int i = 0; i < 60; ++i) pair.operate(random);
    copy.compare();
    for (int i = 0; i < 60; ++i) copy.operate(random);
    copy.compare();
    pair.compare();
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(History, VisitsEverySlotOfThePeriodOnce) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Pair pair = random_pair(random);
    for (int i = 0; i < 150; ++i) pair.operate(random);
    Duration longest = pair.real.windows().back();
    Counts total;
    Instant before = instant_from_unix_ns(INT64_MIN);
    pair.real.visit([&](Instant slot_start, Duration slot, const Counts& counts) {
      EXPECT_GT(slot_start, before);
      EXPECT_EQ(slot, slot_of(longest));
      EXPECT_EQ(unix_ns(slot_start) % slot.count(), 0);
      EXPECT_NE(counts, Counts{});
      before = slot_start;
      total += counts;
    });
    ASSERT_EQ(total, pair.plain.sum(longest.count()));
  }
}

TEST(History, RestoredFromItsSlotsItGoesOnAsBefore) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    const Instant start = kMidnight + random.up_to(24h);
    History real(start, 720h, {1h, 5min, 72h});
    for (int i = 0; i < 300; ++i) real.add(real.now() + random.up_to(2h), static_cast<Event>(random.below(kEvents)));
    History restored(start, 720h, {1h, 5min, 72h});
    real.visit([&](Instant slot_start, Duration, const Counts& counts) {
      for (size_t i = 0; i < kEvents; ++i)
        restored.add(std::max(slot_start, start), static_cast<Event>(i), counts[static_cast<Event>(i)]);
    });
    restored.advance(real.now());
    for (int i = 0; i < 50; ++i) {
      real.advance(real.now() + 16h);
      restored.advance(real.now());
      for (const Duration window : {Duration(720h), Duration(72h)}) ASSERT_EQ(real.sum(window), restored.sum(window));
    }
    ASSERT_EQ(restored.moved(), 0U);
  }
}

TEST(History, EdgesByHand) {
  History history(kMidnight, 24h, {5min});
  history.add(kMidnight + 9'999'999'999ns, Event::bad);  // the last nanosecond of the first slot
  history.advance(kMidnight + 5min + 9'999'999'999ns);
  EXPECT_EQ(history.window_start(5min), kMidnight);
  EXPECT_EQ(history.sum(5min).bad, 1U);
  EXPECT_EQ(history.next_change(), kMidnight + 5min + 10s);
  history.advance(history.next_change());
  EXPECT_EQ(history.window_start(5min), kMidnight + 10s);
  EXPECT_EQ(history.sum(5min).bad, 0U);

  EXPECT_EQ(history.sum(24h).bad, 1U);
  history.advance(kMidnight + 24h + 59s);
  EXPECT_EQ(history.sum(24h).bad, 1U);
  history.advance(kMidnight + 24h + 60s);
  EXPECT_EQ(history.sum(24h).bad, 0U);
}

TEST(History, CountsLateEventsInTheirOwnSlotUpToFifteenMinutes) {
  History history(kMidnight, 24h, {5min, 1h});
  const Instant now = kMidnight + 3h;
  history.advance(now);
  history.add(now - 15min, Event::bad);
  EXPECT_EQ(history.moved(), 0U);
  EXPECT_EQ(history.sum(5min).bad, 0U);
  EXPECT_EQ(history.sum(1h).bad, 1U);
  history.add(now - 15min - 1ns, Event::blind, 3);
  history.add(now - 100h, Event::blind, 4);
  EXPECT_EQ(history.moved(), 7U);
  EXPECT_EQ(history.sum(1h).blind, 7U);
  history.advance(now + 45min);
  EXPECT_EQ(history.sum(1h).blind, 7U);
  history.advance(now + 45min + 10s);
  EXPECT_EQ(history.sum(1h), Counts{});
  EXPECT_EQ(history.sum(24h), (Counts{.bad = 1, .blind = 7}));
}

TEST(History, WindowsAreWholeSlots) {
  EXPECT_EQ(whole_slots(Duration(1)), Duration(10s));
  EXPECT_EQ(whole_slots(Duration(0)), Duration(10s));
  EXPECT_EQ(whole_slots(70s), Duration(70s));
  EXPECT_EQ(whole_slots(71s), Duration(80s));
  EXPECT_EQ(whole_slots(6h), Duration(6h));
  EXPECT_EQ(whole_slots(6h + 1ns), Duration(6h + 1min));
  EXPECT_EQ(whole_slots(91 * 24h), kLongestPeriod);
  const History history(kMidnight, 30s, {71s, 5s, 80s, 7h});
  EXPECT_EQ(history.windows(), (std::vector<Duration>{10s, 30s, 80s, 7h}));
}

TEST(History, UnobservedShrinksAsTheHistoryGrows) {
  const Instant start = kMidnight + 7s;
  History history(start, 720h, {1h});
  EXPECT_EQ(history.unobserved(1h), Duration(1h));
  EXPECT_EQ(history.unobserved(720h), Duration(720h));
  history.advance(start + 20min);
  EXPECT_EQ(history.unobserved(1h), Duration(40min + 7s));
  history.advance(start + 2h);
  EXPECT_EQ(history.unobserved(1h), Duration(0));
}

TEST(History, AYearAsleepIsForgottenAtOnce) {
  History history(kMidnight, kLongestPeriod, {5min, 6h, 72h});
  for (int i = 0; i < 1000; ++i) history.add(kMidnight + i * 1min, Event::bad);
  history.advance(kMidnight + 100 * 365 * 24h);
  for (const Duration window : history.windows()) EXPECT_EQ(history.sum(window), Counts{});
  history.add(history.now(), Event::good);
  for (const Duration window : history.windows()) EXPECT_EQ(history.sum(window), Counts{.good = 1});
}

TEST(HistoryDeathTest, AWindowItWasNotMadeForIsAMistake) {
  const History history(kMidnight, 720h, {5min});
  EXPECT_DEATH(history.sum(1h), "not made for");
}

}  // namespace
}  // namespace slosonde::slo
