#include "checks/append_clock.h"

#include <gtest/gtest.h>

#include <limits>

namespace slosonde::checks {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kStamp_ms = 1'700'000'010'000;
constexpr Instant kAppended = instant_from_unix_ns(kStamp_ms * 1'000'000);
const Instant kGap = kAppended - seconds(10), kRead = kAppended + seconds(20);

Evidence read_back() {
  Evidence evidence;
  evidence.seen_lo = kGap;
  evidence.seen_hi = kRead;
  return evidence;
}

bool wide(const Evidence& evidence) {
  return evidence.seen_lo == kGap && evidence.seen_hi == kRead;
}

TEST(AppendClock, WhatIsReadBackCameWhenItsBrokerSaysGiveOrTakeTheError) {
  AppendClock clock(milliseconds(200));
  clock.look(kGap, {});
  Evidence evidence = read_back();
  clock.narrow(evidence, kStamp_ms);
  EXPECT_EQ(evidence.seen_lo, kAppended - milliseconds(201));
  EXPECT_EQ(evidence.seen_hi, kAppended + milliseconds(202)) << "a stamp has whole milliseconds";
  EXPECT_TRUE(evidence.by_place);
}

TEST(AppendClock, NeverWidensWhatIsKnown) {
  AppendClock clock(seconds(60));
  clock.look(kGap, {});
  Evidence evidence = read_back();
  clock.narrow(evidence, kStamp_ms);
  EXPECT_TRUE(wide(evidence));
}

TEST(AppendClock, ReadsTheStampByTheWallClockAsItIs) {
  AppendClock clock(milliseconds(200));
  clock.look(kGap - hours(1), {});
  clock.look(kGap - seconds(1), hours(1));
  Evidence evidence = read_back();
  clock.narrow(evidence, kStamp_ms + 3'600'000);
  EXPECT_EQ(evidence.seen_lo, kAppended - milliseconds(201));
}

TEST(AppendClock, SaysNothingOfATimeInWhichTheWallClockWasSet) {
  AppendClock clock(milliseconds(200));
  clock.look(kGap, {});
  clock.look(kGap + seconds(1), milliseconds(501));
  Evidence evidence = read_back();
  clock.narrow(evidence, kStamp_ms);
  EXPECT_TRUE(wide(evidence));
  Evidence later = read_back();
  later.seen_lo = kGap + seconds(2);
  clock.narrow(later, kStamp_ms + 501);
  EXPECT_EQ(later.seen_lo, kAppended - milliseconds(201)) << "what came after it was set can be placed again";
}

TEST(AppendClock, AsMuchAsItWasAdjustedMeanwhileIsNotKnown) {
  AppendClock clock(milliseconds(200));
  clock.look(kGap - seconds(60), milliseconds(50));
  clock.look(kGap - seconds(1), milliseconds(0));
  clock.look(kGap + seconds(5), milliseconds(300));  // by a daemon that steps a little
  Evidence evidence = read_back();
  clock.narrow(evidence, kStamp_ms + 300);
  EXPECT_EQ(evidence.seen_lo, kAppended - milliseconds(501));
  EXPECT_EQ(evidence.seen_hi, kAppended + milliseconds(502));
}

TEST(AppendClock, ASlowDriftIsNoStepButManyMakeOne) {
  AppendClock clock(milliseconds(200));
  for (int i = 0; i <= 4; ++i) clock.look(kGap + seconds(i), milliseconds(100) * i);
  Evidence evidence = read_back();
  clock.narrow(evidence, kStamp_ms + 400);
  EXPECT_EQ(evidence.seen_lo, kAppended - milliseconds(601));
  for (int i = 5; i <= 6; ++i) clock.look(kGap + seconds(i), milliseconds(100) * i);
  evidence = read_back();
  clock.narrow(evidence, kStamp_ms + 600);
  EXPECT_TRUE(wide(evidence));
}

TEST(AppendClock, WhatIsTooLongAgoToKnowStaysWide) {
  AppendClock clock(milliseconds(200));
  for (int i = 0; i < 300; ++i) clock.look(kGap + milliseconds(i), milliseconds(2) * (i % 2));
  Evidence evidence = read_back();
  clock.narrow(evidence, kStamp_ms);
  EXPECT_TRUE(wide(evidence));
}

TEST(AppendClock, AStampBeyondTheGapSaysThatTheClocksDoNotAgree) {
  AppendClock clock(milliseconds(200));
  clock.look(kGap, {});
  for (const int64_t stamp_ms : {kStamp_ms - 11'000, kStamp_ms + 21'000, int64_t{-1}, int64_t{0},
                                 std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    Evidence evidence = read_back();
    clock.narrow(evidence, stamp_ms);
    EXPECT_TRUE(wide(evidence)) << stamp_ms;
  }
}

TEST(AppendClock, StampsSayNothingWhereNoErrorIsGiven) {
  AppendClock clock(std::nullopt);
  clock.look(kGap, {});
  Evidence evidence = read_back();
  clock.narrow(evidence, kStamp_ms);
  EXPECT_TRUE(wide(evidence));
}

TEST(AppendClock, AnInstantStaysOne) {
  AppendClock clock(seconds(30));
  clock.look(kGap, {});
  Evidence evidence;
  evidence.seen_lo = evidence.seen_hi = kRead;
  clock.narrow(evidence, kStamp_ms);
  EXPECT_EQ(evidence.seen_hi, kRead);
}

}  // namespace
}  // namespace slosonde::checks
