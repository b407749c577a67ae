// A few short days of the whole probe. More, and longer: tests/simulation/run day.
#include "tests/simulation/day/day.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>

namespace slosonde::day {
namespace {

using std::chrono::hours;

struct WholeProbe : testing::TestWithParam<uint64_t> {};

TEST_P(WholeProbe, KeepsWhatItHasCommittedAndCountsEverySlotOnce) {
  const Terms terms = draw(GetParam(), hours(1));
  const Outcome outcome = Day(terms).run();
  EXPECT_GT(outcome.judged, 50U);
  EXPECT_EQ(outcome.failure, "") << describe(terms) << "again: tests/simulation/run day --hours 1 --seed "
                                 << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Seeds, WholeProbe, testing::Range<uint64_t>(20, 28));

TEST(WholeProbeRepeats, TheSameSeedIsTheSameDayBitForBit) {
  const Terms terms = draw(9, hours(1));
  const Outcome once = Day(terms).run(), again = Day(terms).run();
  EXPECT_GT(once.judged, 100U);
  EXPECT_EQ(once.digest, again.digest);
  // (How many commits a view speaks of may differ by the one that is being written.)
  EXPECT_EQ(once.runs, again.runs);
  EXPECT_EQ(once.processes, again.processes);
  EXPECT_EQ(once.cuts_in_commits, again.cuts_in_commits);
}

size_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

// What never comes up is not looked at.
TEST(WholeProbeBites, EverythingThatCanHappenHappensAndLeavesNoDescriptorOpen) {
  Outcome all;
  const size_t before = descriptors();
  for (uint64_t seed = 40; seed < 46; ++seed) {
    const Outcome one = Day(draw(seed, hours(1))).run();
    for (size_t i = 0; i < kKinds; ++i) all.verdicts[i] += one.verdicts[i];
    all.exact += one.exact;
    all.carried += one.carried;
    all.cuts += one.cuts;
    all.cuts_in_commits += one.cuts_in_commits;
    all.failed_commits += one.failed_commits;
    all.held += one.held;
    all.acknowledged += one.acknowledged;
  }
  EXPECT_EQ(descriptors(), before);
  for (size_t i = 0; i < 4; ++i) EXPECT_GT(all.verdicts[i], 0U) << "verdict " << i;
  EXPECT_GT(all.exact, 3000U);
  EXPECT_GT(all.carried, 10U);
  EXPECT_GT(all.cuts, 60U);
  EXPECT_GT(all.cuts_in_commits, 30U);
  EXPECT_GT(all.failed_commits, 20U);
  EXPECT_GT(all.held, 5U);
  EXPECT_GT(all.acknowledged, 5U);
}

}  // namespace
}  // namespace slosonde::day
