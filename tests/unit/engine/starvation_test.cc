#include "probe/engine/starvation.h"

#include <gtest/gtest.h>

namespace slosonde::engine {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): tests read better with 5s than without

const Instant kZero{};

TEST(Starvation, CountsWhatMayLieInTheTimeAskedAbout) {
  Starvation starvation;
  starvation.note(kZero, kZero + 100ms, 40ms);
  starvation.note(kZero + 100ms, kZero + 200ms, 70ms);
  EXPECT_EQ(starvation.waited(kZero, kZero + 200ms), 110ms);
  EXPECT_EQ(starvation.waited(kZero + 100ms, kZero + 300ms), 70ms);
  EXPECT_EQ(starvation.waited(kZero + 80ms, kZero + 110ms), 30ms);  // all of both overlaps, at most
  EXPECT_EQ(starvation.waited(kZero + 200ms, kZero + 300ms), 0ms);
  EXPECT_EQ(starvation.waited(kZero - 1s, kZero), 0ms);
}

TEST(Starvation, WhatAnyMachineDoesExplainsNothing) {
  Starvation starvation;
  for (int i = 0; i < 9; ++i) starvation.note(kZero + i * 1ms, kZero + (i + 1) * 1ms, 1ms);
  EXPECT_FALSE(starvation.explains_late(kZero, kZero + 10ms, kZero + 11ms));
  EXPECT_FALSE(starvation.explains_silence(kZero, kZero + 10ms));
  starvation.note(kZero + 9ms, kZero + 10ms, 1ms);
  EXPECT_TRUE(starvation.explains_late(kZero, kZero + 10ms, kZero + 11ms));
  EXPECT_TRUE(starvation.explains_late(kZero, kZero + 10ms, kZero + 20ms));
  EXPECT_FALSE(starvation.explains_late(kZero, kZero + 10ms, kZero + 20ms + 1ns));
}

TEST(Starvation, KeepsTheNewest) {
  Starvation starvation;
  const auto at = [](size_t i) { return kZero + static_cast<int64_t>(i) * 100ms; };
  for (size_t i = 0; i < Starvation::kMost + 10; ++i) starvation.note(at(i), at(i + 1), 2ms);
  EXPECT_EQ(starvation.waited(kZero, at(10)), 0ms);
  EXPECT_EQ(starvation.waited(kZero, at(Starvation::kMost + 10)), static_cast<int64_t>(Starvation::kMost) * 2ms);
}

}  // namespace
}  // namespace slosonde::engine
