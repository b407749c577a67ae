// Fifty worlds, each with its own configuration and faults, through the real core and against the oracle. More, and for
// longer: tests/simulation/run.
#include <gtest/gtest.h>

#include "tests/simulation/swarm/shrink.h"

namespace slosonde::swarm {
namespace {

constexpr Time kLength = 2 * kDay;

struct Swarm : testing::TestWithParam<uint64_t> {};

TEST_P(Swarm, WhatIsCountedAndShownIsWhatHappened) {
  const Scenario scenario = draw(GetParam(), kLength);
  const Outcome outcome = World(scenario).run();
  EXPECT_GT(outcome.runs, 100u);
  EXPECT_GT(outcome.readings, 30u);
  if (!outcome.failures.empty()) ADD_FAILURE() << report(scenario);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Swarm, testing::Range<uint64_t>(1, 51));

TEST(SwarmRepeats, TheSameSeedIsTheSameWorldBitForBit) {
  const Scenario scenario = draw(4, 2 * kDay);
  const Outcome once = World(scenario).run(), again = World(scenario).run();
  EXPECT_GT(once.runs, 1000u);
  EXPECT_EQ(once.digest, again.digest);
  EXPECT_NE(once.digest, World(draw(5, 2 * kDay)).run().digest);
}

// Every verdict must have come up, and every fault, or the comparison compares nothing.
TEST(SwarmBites, EverythingThatCanHappenHappens) {
  std::array<uint64_t, kRunVerdicts> verdicts{};
  std::array<uint64_t, 7> stages{};
  std::array<int, kFaults> faults{};
  std::array<int, 3> expected{};
  uint64_t processes = 0, steps = 0, alerts = 0, forgetful = 0;
  for (uint64_t seed = 100; seed < 130; ++seed) {
    const Scenario scenario = draw(seed, kDay);
    const Outcome outcome = World(scenario).run();
    for (size_t i = 0; i < verdicts.size(); ++i) verdicts[i] += outcome.verdicts[i];
    for (size_t i = 0; i < stages.size(); ++i) stages[i] += outcome.stages[i];
    for (size_t i = 0; i < kFaults; ++i) faults[i] += scenario.rates[i] > 0 ? 1 : 0;
    for (const TransactionTerms& one : scenario.transactions) {
      for (const StageTerms& stage : one.stages) ++expected[static_cast<size_t>(stage.expected)];
    }
    processes += outcome.processes;
    if (!scenario.keeps_state) forgetful += outcome.processes;
    steps += outcome.steps;
    alerts += outcome.alerts;
  }
  for (size_t i = 0; i < verdicts.size(); ++i) EXPECT_GT(verdicts[i], 20u) << "run verdict " << i;
  for (size_t i = 0; i < stages.size(); ++i) EXPECT_GT(stages[i], 20u) << "stage verdict " << i;
  for (size_t i = 0; i < kFaults; ++i) EXPECT_GT(faults[i], 0) << name(static_cast<Fault>(i));
  for (const int stages : expected) EXPECT_GT(stages, 2);
  EXPECT_GT(processes, 20u);
  EXPECT_GT(steps, 1u);
  EXPECT_GT(forgetful, 3u);
  EXPECT_GT(alerts, 10u);
}

// A failing world is shrunk to what makes it fail, and stays one that fails.
TEST(SwarmShrinks, WhatIsLeftStillFailsAndIsSmaller) {
  // The first one in which something is late.
  uint64_t seed = 7;
  Scenario scenario;
  do {
    scenario = draw(++seed, kDay);
    scenario.wrong_on_purpose = true;
    ASSERT_LT(seed, 30u);
  } while (World(scenario).run().failures.empty());
  const Shrunk shrunk = shrink(scenario);
  EXPECT_FALSE(World(shrunk.scenario).run().failures.empty());
  EXPECT_EQ(shrunk.scenario.transactions.size(), 1u);
  EXPECT_LE(shrunk.scenario.length, scenario.length);
  EXPECT_FALSE(shrunk.story.empty());
  const std::string again = "again: tests/simulation/run --seed " + std::to_string(seed) + " --days 1";
  EXPECT_NE(report(scenario).find(again), std::string::npos);
}

}  // namespace
}  // namespace slosonde::swarm
