#include "checks/kafka_coverage.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace slosonde::checks {
namespace {

using Interval = KafkaCoverage::Interval;

Instant at(int64_t second) {
  return Instant(std::chrono::seconds(second));
}

std::optional<Interval> span(int64_t from, int64_t to) {
  return Interval{at(from), at(to)};
}

KafkaCoverage two_partitions() {
  KafkaCoverage coverage;
  coverage.start(0, 10);
  coverage.start(1, 20);
  coverage.begin(at(100));
  EXPECT_EQ(coverage.take(), span(100, 100));
  return coverage;
}

void ask(KafkaCoverage& coverage, int64_t second, std::vector<int64_t> ends) {
  coverage.ends(at(second), ends);
}

TEST(KafkaCoverage, ProvesNothingBeforeItBegan) {
  KafkaCoverage coverage;
  coverage.start(0, 0);
  ask(coverage, 1, {0});
  EXPECT_FALSE(coverage.take());
  EXPECT_FALSE(coverage.begun());
}

TEST(KafkaCoverage, IsReadyOnceEveryPartitionIsKnownToBeRead) {
  KafkaCoverage coverage;
  coverage.start(0, 10);
  coverage.hold(0);
  coverage.start(1, 20);
  coverage.hold(1);
  coverage.begin(at(100));
  coverage.handed_over(0, 10);
  EXPECT_FALSE(coverage.take());
  coverage.handed_over(1, 20);
  EXPECT_EQ(coverage.take(), span(100, 100));
}

TEST(KafkaCoverage, AnEndAtThePositionProvesTheTimeUpToTheQuestion) {
  KafkaCoverage coverage = two_partitions();
  EXPECT_FALSE(coverage.take()) << "said once";
  ask(coverage, 101, {10, 20});
  EXPECT_EQ(coverage.take(), span(100, 101));
  EXPECT_EQ(coverage.proven(), at(101));
}

TEST(KafkaCoverage, WaitsForEveryPartition) {
  KafkaCoverage coverage = two_partitions();
  ask(coverage, 101, {11, 22});
  EXPECT_EQ(coverage.behind(), 3);
  coverage.handed_over(0, 11);
  EXPECT_FALSE(coverage.take());
  coverage.handed_over(1, 21);
  EXPECT_FALSE(coverage.take());
  coverage.handed_over(1, 22);
  EXPECT_EQ(coverage.take(), span(100, 101));
  EXPECT_EQ(coverage.behind(), 0);
}

TEST(KafkaCoverage, APartitionThatIsNotReadHidesWhatIsInIt) {
  KafkaCoverage coverage = two_partitions();
  ask(coverage, 101, {10, 20, 1});
  EXPECT_FALSE(coverage.take());
  coverage.start(2, 0);
  EXPECT_FALSE(coverage.take());
  coverage.handed_over(2, 1);
  EXPECT_EQ(coverage.take(), span(100, 101));
}

TEST(KafkaCoverage, AGapReadBackIsProvenInOnePiece) {
  KafkaCoverage coverage = two_partitions();
  ask(coverage, 101, {10, 20});
  EXPECT_EQ(coverage.take(), span(100, 101));
  // No answers for a minute; then there is a backlog.
  ask(coverage, 160, {50, 20});
  ask(coverage, 161, {51, 20});
  EXPECT_FALSE(coverage.take());
  coverage.handed_over(0, 50);
  EXPECT_EQ(coverage.take(), span(101, 160));
  coverage.handed_over(0, 51);
  EXPECT_EQ(coverage.take(), span(160, 161));
}

TEST(KafkaCoverage, ATransactionsEndMovesThePositionWithoutAMessage) {
  KafkaCoverage coverage = two_partitions();
  ask(coverage, 101, {12, 20});
  coverage.handed_over(0, 11);  // the message; 11 is a marker of the broker's
  EXPECT_FALSE(coverage.take());
  coverage.handed_over(0, 12);  // the end, told by the broker
  EXPECT_EQ(coverage.take(), span(100, 101));
  coverage.handed_over(0, 5);
  EXPECT_EQ(coverage.position(0), 12) << "a position never goes back by itself";
}

TEST(KafkaCoverage, AFailingPartitionProvesNothingEvenWhenNothingIsMissing) {
  KafkaCoverage coverage = two_partitions();
  coverage.hold(1);
  ask(coverage, 101, {10, 20});
  EXPECT_FALSE(coverage.take());
  EXPECT_EQ(coverage.behind(), 1);
  coverage.start(1, 20);
  coverage.hold(1);
  EXPECT_FALSE(coverage.take());
  coverage.handed_over(1, 20);
  EXPECT_EQ(coverage.take(), span(100, 101));
}

TEST(KafkaCoverage, WhatWasLostIsNeverProven) {
  KafkaCoverage coverage = two_partitions();
  ask(coverage, 101, {30, 20});
  coverage.start(0, 25, true);  // 10 to 24 are gone
  ask(coverage, 110, {30, 20});
  EXPECT_FALSE(coverage.take());
  coverage.handed_over(0, 30);
  EXPECT_EQ(coverage.take(), span(110, 110));
  ask(coverage, 111, {30, 20});
  EXPECT_EQ(coverage.take(), span(110, 111));
}

TEST(KafkaCoverage, APartitionThatIsForgottenIsMissedNoMore) {
  KafkaCoverage coverage = two_partitions();
  coverage.hold(1);
  ask(coverage, 101, {10});
  EXPECT_FALSE(coverage.take()) << "of the other nothing is known";
  coverage.forget(1);
  coverage.forget(7);
  EXPECT_FALSE(coverage.position(1));
  ask(coverage, 110, {10});
  EXPECT_EQ(coverage.take(), span(110, 110)) << "what was in it is lost";
  ask(coverage, 111, {10});
  EXPECT_EQ(coverage.take(), span(110, 111));
}

TEST(KafkaCoverage, TheTimeOfWhatWasSkippedIsLeftOut) {
  KafkaCoverage coverage = two_partitions();
  ask(coverage, 101, {10, 20});  // before it came
  ask(coverage, 102, {11, 21});
  ask(coverage, 103, {12, 21});
  coverage.skip(0, 10);
  coverage.handed_over(0, 12);
  EXPECT_EQ(coverage.take(), span(100, 101)) << "the other partition's end is awaited";
  EXPECT_TRUE(coverage.skipping());
  coverage.handed_over(1, 21);
  EXPECT_EQ(coverage.take(), span(102, 103)) << "what came after it is whole";
  EXPECT_FALSE(coverage.skipping());
  EXPECT_FALSE(coverage.take());
}

TEST(KafkaCoverage, AnInstantAfterWhatWasSkippedSaysSo) {
  KafkaCoverage coverage = two_partitions();
  coverage.skip(1, 20);
  coverage.handed_over(1, 21);
  ask(coverage, 101, {10, 21});
  const auto proven = coverage.take();
  ASSERT_TRUE(proven);
  EXPECT_EQ(*proven, (Interval{at(101), at(101), true}));
  coverage.start(1, 21);  // begun again: forgets nothing
  coverage.skip(1, 21);
  coverage.start(1, 22);
  EXPECT_TRUE(coverage.skipping());
}

TEST(KafkaCoverage, QuestionsAreBoundedAndTheOldestIsKept) {
  KafkaCoverage coverage = two_partitions();
  for (int i = 1; i <= 1000; ++i) ask(coverage, 100 + i, {10 + i, 20});
  EXPECT_EQ(coverage.behind(), 1);
  coverage.handed_over(0, 11);
  EXPECT_EQ(coverage.take(), span(100, 101));
  coverage.handed_over(0, 1010);
  EXPECT_EQ(coverage.take(), span(101, 1100));
}

// Against a slow, obvious model: every message has an arrival; an interval is proven wrongly if a message that arrived
// in it was neither handed over nor stood before where reading began.
TEST(KafkaCoverage, NeverProvesATimeWithAMessageThatWasNotHandedOver) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](uint32_t n) { return static_cast<int>(random() % n); };
    KafkaCoverage coverage;
    std::vector<std::vector<int64_t>> arrivals(1 + below(3));  // per partition, by offset
    std::map<size_t, int64_t> read;                            // what was handed over, per partition
    std::vector<int64_t> skipped;                              // when those arrived that were not looked through
    for (auto& partition : arrivals)
      for (int i = below(4); i > 0; --i) partition.push_back(0);
    int64_t now = 1;
    for (size_t p = 0; p < arrivals.size(); ++p) {
      read[p] = static_cast<int64_t>(arrivals[p].size());
      coverage.start(static_cast<int32_t>(p), read[p]);
    }
    coverage.begin(at(now));
    for (int step = 0; step < 60; ++step) {
      ++now;
      const size_t p = below(static_cast<uint32_t>(arrivals.size()));
      switch (below(5)) {
        case 0:
          arrivals[p].push_back(now);
          break;
        case 1:
          if (arrivals.size() < 5) arrivals.emplace_back();
          break;
        case 2:
          if (!coverage.position(static_cast<int32_t>(p))) coverage.start(static_cast<int32_t>(p), 0);
          if (read[p] == static_cast<int64_t>(arrivals[p].size())) break;
          if (below(4) == 0) {
            coverage.skip(static_cast<int32_t>(p), read[p]);
            skipped.push_back(arrivals[p][read[p]]);
          }
          coverage.handed_over(static_cast<int32_t>(p), ++read[p]);
          break;
        default: {
          std::vector<int64_t> ends;
          ends.reserve(arrivals.size());
          for (const auto& partition : arrivals) ends.push_back(static_cast<int64_t>(partition.size()));
          coverage.ends(at(now), ends);
        }
      }
      const auto proven = coverage.take();
      if (!proven) continue;
      for (const int64_t when : skipped)
        ASSERT_TRUE(at(when) <= proven->from || at(when) > proven->to) << "seed " << seed << ", step " << step;
      for (size_t q = 0; q < arrivals.size(); ++q)
        for (size_t offset = static_cast<size_t>(read[q]); offset < arrivals[q].size(); ++offset)
          ASSERT_GT(at(arrivals[q][offset]), proven->to) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace slosonde::checks
