#include "probe/base/time.h"

#include <gtest/gtest.h>

namespace slosonde {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("500ms"), Duration(500ms));
  EXPECT_EQ(parse_duration("1.5s"), Duration(1500ms));
  EXPECT_EQ(parse_duration("2m"), Duration(2min));
  EXPECT_EQ(parse_duration("3h"), Duration(3h));
  EXPECT_EQ(parse_duration("30d"), Duration(720h));
  EXPECT_EQ(parse_duration("7us"), Duration(7us));
  EXPECT_EQ(parse_duration("9ns"), Duration(9ns));
  EXPECT_EQ(parse_duration("0"), Duration(0));
}

TEST(Duration, RefusesWhatHasNoUnitOrNoMeaning) {
  for (const char* text : {"5", "", "s", "5 s", "5sec", "1e3s", "nan s", "nans", "infs", "5s5s", "200000000d", "0x5s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Duration, PrintsTheLargestWholeUnit) {
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(720h), "30d");
  EXPECT_EQ(format_duration(Duration(0)), "0s");
  EXPECT_EQ(format_duration(-5s), "-5s");
  EXPECT_EQ(format_duration(Duration(1'000'000'001)), "1000000001ns");
}

TEST(Duration, ReadsBackWhatItPrints) {
  for (int64_t ns = 1; ns < 4'000'000'000'000'000; ns = ns * 3 + 1)
    EXPECT_EQ(parse_duration(format_duration(Duration(ns))), Duration(ns));
}

TEST(Instant, PrintsUtcWithMilliseconds) {
  EXPECT_EQ(format_utc(instant_from_unix_ns(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_utc(instant_from_unix_ns(1'769'851'800'125'000'000)), "2026-01-31T09:30:00.125Z");
  EXPECT_EQ(format_utc(instant_from_unix_ns(-1)), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace slosonde
