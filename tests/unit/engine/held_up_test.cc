#include "probe/engine/held_up.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/launcher_world.h"

namespace slosonde::engine {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): tests read better with 5s than without

class HeldUpTest : public testing::Test {
 protected:
  // After so long, what has come since the last time.
  Starved look_after(Duration time) {
    io.stall(time);
    return held_up.look(io.now()).value_or(Starved{});
  }

  TestIo io;
  HeldUp held_up{io};
};

TEST_F(HeldUpTest, WaitingForAProcessorIsAsTheKernelCountsIt) {
  const Instant begin = io.now();
  io.keep_from_processor(30ms);
  const Starved starved = look_after(100ms);
  EXPECT_EQ(starved.from, begin);
  EXPECT_EQ(starved.to, begin + 100ms);
  EXPECT_EQ(starved.waited, 30ms);
  EXPECT_EQ(look_after(100ms).waited, 0ms) << "it was told";
}

TEST_F(HeldUpTest, StandingStillIsFromWhenTheLoopWasToComeRound) {
  held_up.expects(io.now() + 1s);
  EXPECT_EQ(look_after(1s).waited, 0ms);
  EXPECT_EQ(look_after(8s).waited, 8s) << "before the loop has come round: something else was woken first";
  EXPECT_EQ(look_after(60ms).waited, 60ms) << "and no moment of it twice";
  held_up.came_round(io.now());
  EXPECT_EQ(look_after(8s).waited, 0ms) << "nothing is expected";
}

TEST_F(HeldUpTest, TheEarlierOfTwoInstantsIsExpected) {
  held_up.expects(io.now() + 1s);
  held_up.expects(io.now() + 5s);
  EXPECT_EQ(look_after(3s).waited, 2s);
}

TEST_F(HeldUpTest, WhatIsNotToldYetIsNotForgotten) {
  held_up.expects(io.now());
  io.stall(40ms);
  EXPECT_FALSE(held_up.look(io.now())) << "it is not asked that often";
  held_up.came_round(io.now());
  held_up.expects(io.now() + 50ms);
  EXPECT_EQ(look_after(70ms).waited, 60ms);
}

TEST_F(HeldUpTest, ThatEveryLoopIsALittleLateAddsUpToNothing) {
  for (int i = 0; i < 100; ++i) {
    held_up.expects(io.now());
    io.stall(9ms);
    held_up.came_round(io.now());
    if (const auto starved = held_up.look(io.now())) {
      EXPECT_EQ(starved->waited, 0ms);
    }
  }
}

TEST_F(HeldUpTest, WaitingForAProcessorIsNotCountedOnceMoreAsStandingStill) {
  held_up.expects(io.now());
  io.keep_from_processor(80ms);
  EXPECT_EQ(look_after(100ms).waited, 100ms);
  held_up.came_round(io.now());
  held_up.expects(io.now() + 80ms);
  io.keep_from_processor(50ms);
  EXPECT_EQ(look_after(100ms).waited, 50ms);
}

}  // namespace
}  // namespace slosonde::engine
