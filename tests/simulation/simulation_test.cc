// A virtual day of the demo's transactions through the real core, against an oracle that shares no code with it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/simulation/oracle.h"
#include "tests/simulation/world.h"

namespace slosonde::simulation {
namespace {

constexpr Time kDay = 24 * kHour;

std::string text_of(const std::vector<uint64_t>& counts) {
  std::string text;
  for (const uint64_t count : counts) text += std::to_string(count) + ' ';
  return text;
}

std::string text_of(const SloCounts& counts) {
  return text_of(std::vector<uint64_t>{counts.good, counts.bad, counts.blind, counts.probe_fault, counts.missed});
}

void compare(const Terms& terms, const World& world, const Result& result, const Oracle& oracle) {
  const auto expected = oracle.transactions();
  ASSERT_EQ(result.transactions.size(), expected.size());
  for (size_t t = 0; t < expected.size(); ++t) {
    SCOPED_TRACE("transaction " + std::to_string(t));
    EXPECT_EQ(text_of(result.transactions[t].runs), text_of(expected[t].runs)) << "good bad blind fault missed";
    for (size_t i = 0; i < expected[t].stages.size(); ++i) {
      SCOPED_TRACE("stage " + std::to_string(i));
      const StageCounts &is = result.transactions[t].stages[i], &should = expected[t].stages[i];
      EXPECT_EQ(text_of(is.verdicts), text_of(should.verdicts)) << "on_time late lost corrupt failed skipped unseen";
      EXPECT_EQ(text_of(is.sightings), text_of(should.sightings))
          << "first late duplicate reordered corrupt foreign stale unexpected";
      EXPECT_EQ(is.latencies, should.latencies);
      EXPECT_EQ(is.hops, should.hops);
      EXPECT_NEAR(is.latency_sum, should.latency_sum, 1e-6);  // of up to 17,280 doubles
      EXPECT_NEAR(is.hop_sum, should.hop_sum, 1e-6);
    }
  }
  for (size_t s = 0; s < terms.slos.size(); ++s) {
    EXPECT_EQ(text_of(result.slos[s]), text_of(oracle.slo_total(s))) << "SLO " << s << ": good bad blind fault missed";
  }
  size_t wrong = 0;
  for (const WindowReading& one : result.windows) {
    const WindowReading should = oracle.window(one.slo, one.window, one.at, world.budget(one.slo));
    if (one.counts == should.counts && std::abs(one.burn_rate - should.burn_rate) <= 1e-9 * std::abs(one.burn_rate)) {
      continue;
    }
    if (++wrong > 5) continue;
    ADD_FAILURE() << "SLO " << one.slo << ", window of " << one.window / kSecond << " s at "
                  << (one.at - world.facts().start) / kSecond << " s: " << text_of(one.counts) << "(" << one.burn_rate
                  << "), should be " << text_of(should.counts) << "(" << should.burn_rate << ")";
  }
  EXPECT_EQ(wrong, 0u) << "of " << result.windows.size() << " windows";
  EXPECT_GT(result.windows.size(), 1000u);
}

struct Simulation : testing::TestWithParam<uint64_t> {};

TEST_P(Simulation, ADayCountsWhatTheOracleCounts) {
  World world(GetParam(), kDay);
  const Result result = world.run();
  EXPECT_GT(result.runs, 15'000u);
  const Oracle oracle(world.terms(), world.facts());
  compare(world.terms(), world, result, oracle);
}

// More with SLOSONDE_SIMULATION_SEEDS=1000.
uint64_t seeds() {
  const char* const wanted = std::getenv("SLOSONDE_SIMULATION_SEEDS");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 8;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, testing::Range(uint64_t{1}, seeds() + 1));

TEST(SimulationRepeats, TheSameSeedIsTheSameDayByteForByte) {
  std::string first;
  for (int i = 0; i < 2; ++i) {
    World world(4711, kDay);
    const Result result = world.run();
    EXPECT_GT(result.serialised.size(), 100'000u);
    if (i == 0) first = result.serialised;
    EXPECT_TRUE(result.serialised == first);
  }
  World other(4712, kDay);
  EXPECT_FALSE(other.run().serialised == first);
}

// Every kind of verdict and sighting must have come up, or the comparison compares nothing.
TEST(SimulationBites, EverythingThatCanHappenHappens) {
  std::vector<uint64_t> verdicts(7), sightings(8), runs(6);
  for (uint64_t seed = 1; seed < 9; ++seed) {
    World world(seed, kDay);
    world.run();
    const auto counts = Oracle(world.terms(), world.facts()).transactions();
    for (const auto& transaction : counts) {
      for (size_t i = 0; i < runs.size(); ++i) runs[i] += transaction.runs[i];
      for (const StageCounts& stage : transaction.stages) {
        for (size_t i = 0; i < verdicts.size(); ++i) verdicts[i] += stage.verdicts[i];
        for (size_t i = 0; i < sightings.size(); ++i) sightings[i] += stage.sightings[i];
      }
    }
  }
  for (size_t i = 0; i < verdicts.size(); ++i) EXPECT_GT(verdicts[i], 5u) << "verdict " << i;
  for (size_t i = 0; i < sightings.size(); ++i) EXPECT_GT(sightings[i], 5u) << "sighting " << i;
  for (size_t i = 0; i < 5; ++i) EXPECT_GT(runs[i], 5u) << "run verdict " << i;
}

}  // namespace
}  // namespace slosonde::simulation
