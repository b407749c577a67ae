#include "probe/slo/window.h"

#include <gtest/gtest.h>

#include "tests/unit/slo/random.h"

namespace slosonde::slo {
namespace {

using namespace std::chrono_literals;

WallTime at(const char* text) {
  const auto time = parse_wall_time(text);
  EXPECT_TRUE(time) << text;
  return time.value_or(WallTime());
}

int64_t unix_s(const char* text) {
  return unix_ns(at(text)) / 1'000'000'000;
}

// The clocks of New York in 2026.
std::shared_ptr<const Zone> new_york() {
  return std::make_shared<const Zone>(Zone{"America/New_York",
                                           {{unix_s("2025-11-02T06:00:00Z"), -5 * 3600},
                                            {unix_s("2026-03-08T07:00:00Z"), -4 * 3600},
                                            {unix_s("2026-11-01T06:00:00Z"), -5 * 3600}}});
}

std::shared_ptr<const Zone> seoul() {
  return std::make_shared<const Zone>(Zone{"Asia/Seoul", {{0, 9 * 3600}}});
}

std::vector<WallSpan> spans(const Window& window, const char* from, const char* to) {
  std::vector<WallSpan> all;
  append_spans(window, at(from), at(to), all);
  return all;
}

WallSpan span(const char* from, const char* to) {
  return {at(from), at(to)};
}

constexpr std::array<bool, 7> kSunday = {true};
constexpr std::array<bool, 7> kEveryDay = {true, true, true, true, true, true, true};

TEST(WallTimeText, IsReadWithItsOffset) {
  EXPECT_EQ(unix_ns(at("2026-11-22T01:00:00+09:00")), 1'795'276'800'000'000'000);
  EXPECT_EQ(at("2026-11-21T16:00:00Z"), at("2026-11-22T01:00:00+09:00"));
  EXPECT_EQ(at("2026-11-21 10:30:00.250-05:30"), at("2026-11-21T16:00:00Z") + 250ms);
  EXPECT_EQ(at("2024-02-29T00:00:00Z") + 24h, at("2024-03-01T00:00:00Z"));
}

TEST(WallTimeText, OfAnyOtherFormIsNone) {
  for (const char* text :
       {"", "2026-11-22", "2026-11-22T01:00:00", "2026-11-22T01:00Z", "2026-02-29T01:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T01:60:00Z", "2026-11-22T01:00:60Z", "2026-1-22T01:00:00Z", "2026-11-22T01:00:00+0900",
        "2026-11-22T01:00:00+09:00 ", "2026-11-22T01:00:00.Z", "1999-11-22T01:00:00Z", "2100-11-22T01:00:00Z", "now"})
    EXPECT_FALSE(parse_wall_time(text)) << text;
  for (const char* text : {"", "2:00", "24:00", "02:60", "02:00:00", "02-00", " 02:00"})
    EXPECT_FALSE(parse_time_of_day(text)) << text;
  EXPECT_EQ(parse_time_of_day("23:59"), Duration(23h + 59min));
}

TEST(Window, OnceIsWhereItTouches) {
  const Window once = span("2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z");
  EXPECT_EQ(spans(once, "2026-11-22T00:00:00Z", "2026-11-22T00:59:59.999Z").size(), 0U);
  EXPECT_EQ(spans(once, "2026-11-22T00:00:00Z", "2026-11-22T01:00:00Z").size(), 1U);
  EXPECT_EQ(spans(once, "2026-11-22T01:59:59.999Z", "2026-11-22T03:00:00Z").size(), 1U);
  EXPECT_EQ(spans(once, "2026-11-22T02:00:00Z", "2026-11-22T03:00:00Z").size(), 0U);
  EXPECT_EQ(present_or_next(once, at("2026-11-22T01:59:59Z")), std::get<WallSpan>(once));
  EXPECT_FALSE(present_or_next(once, at("2026-11-22T02:00:00Z")));
}

TEST(Window, OverMidnightBelongsToTheDayOnWhichItBegins) {
  const Window night = WeeklyWindow{kSunday, 22h, 4h, seoul()};  // Sunday 22:00 to Monday 04:00
  const auto all = spans(night, "2026-11-01T00:00:00+09:00", "2026-11-15T00:00:00+09:00");
  EXPECT_EQ(all, (std::vector{span("2026-11-01T22:00:00+09:00", "2026-11-02T04:00:00+09:00"),
                              span("2026-11-08T22:00:00+09:00", "2026-11-09T04:00:00+09:00")}));
  EXPECT_EQ(spans(night, "2026-11-09T03:59:59+09:00", "2026-11-09T03:59:59+09:00").size(), 1U) << "on Monday";
  EXPECT_EQ(spans(night, "2026-11-09T04:00:00+09:00", "2026-11-15T21:59:59+09:00").size(), 0U);
  EXPECT_EQ(present_or_next(night, at("2026-11-09T03:00:00+09:00")), all[1]);
  EXPECT_EQ(present_or_next(night, at("2026-11-09T04:00:00+09:00")),
            span("2026-11-15T22:00:00+09:00", "2026-11-16T04:00:00+09:00"));
}

TEST(Window, OneThatEndsWhenItBeginsLastsADay) {
  const Window day = WeeklyWindow{kSunday, 0h, 0h, seoul()};
  EXPECT_EQ(spans(day, "2026-11-22T12:00:00+09:00", "2026-11-22T12:00:00+09:00"),
            std::vector{span("2026-11-22T00:00:00+09:00", "2026-11-23T00:00:00+09:00")});
}

TEST(Window, GoesWithTheClocksOfItsZone) {
  const Window early = WeeklyWindow{kSunday, 1h, 4h, new_york()};
  // An ordinary Sunday of each time.
  EXPECT_EQ(spans(early, "2026-03-01T00:00:00Z", "2026-03-01T23:00:00Z"),
            std::vector{span("2026-03-01T06:00:00Z", "2026-03-01T09:00:00Z")});
  EXPECT_EQ(spans(early, "2026-03-15T00:00:00Z", "2026-03-15T23:00:00Z"),
            std::vector{span("2026-03-15T05:00:00Z", "2026-03-15T08:00:00Z")});
  // The night in which an hour is left out, and the one that has an hour twice.
  EXPECT_EQ(spans(early, "2026-03-08T00:00:00Z", "2026-03-08T23:00:00Z"),
            std::vector{span("2026-03-08T06:00:00Z", "2026-03-08T08:00:00Z")});
  EXPECT_EQ(spans(early, "2026-11-01T00:00:00Z", "2026-11-01T23:00:00Z"),
            std::vector{span("2026-11-01T05:00:00Z", "2026-11-01T09:00:00Z")});
}

TEST(Window, ATimeThatIsNeverShownIsTheInstantOfTheChange) {
  const Window window = WeeklyWindow{kSunday, 2h + 30min, 3h + 30min, new_york()};
  EXPECT_EQ(spans(window, "2026-03-08T00:00:00Z", "2026-03-08T23:00:00Z"),
            std::vector{span("2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z")});
}

TEST(Window, ATimeThatIsShownTwiceMakesItLonger) {
  const Window window = WeeklyWindow{kSunday, 1h + 15min, 1h + 45min, new_york()};
  EXPECT_EQ(spans(window, "2026-11-01T00:00:00Z", "2026-11-01T23:00:00Z"),
            std::vector{span("2026-11-01T05:15:00Z", "2026-11-01T06:45:00Z")});
}

// Against the clock on the wall, hour by hour: away from the two days on which it is changed.
TEST(Window, IsWhatALookAtTheClockSays) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    WeeklyWindow weekly{{}, random.below(24) * 1h, random.below(24) * 1h, random.chance(0.5) ? new_york() : seoul()};
    for (bool& day : weekly.days) day = random.chance(0.4);
    const WallTime begin = at(random.chance(0.5) ? "2026-03-20T00:00:00Z" : "2026-11-10T00:00:00Z");
    for (WallTime t = begin; t < begin + 10 * 24h; t += 30min) {
      const int64_t local_s = unix_ns(t) / 1'000'000'000 + weekly.zone->offset_at(unix_ns(t) / 1'000'000'000);
      const int64_t day = local_s / 86'400, hour = local_s / 3600 % 24;
      const auto begins = [&](int64_t which) { return weekly.days[static_cast<size_t>((which + 4) % 7)]; };
      const int64_t from = weekly.from / 1h, to = weekly.to / 1h;
      const bool wanted = to > from ? begins(day) && hour >= from && hour < to
                                    : (begins(day) && hour >= from) || (begins(day - 1) && hour < to);
      std::vector<WallSpan> found;
      append_spans(weekly, t, t, found);
      ASSERT_EQ(!found.empty(), wanted) << seed << " " << format_utc(t);
    }
  }
}

TEST(Window, OfManyYearsIsLookedAtOnlyWhereItCouldMatter) {
  std::vector<WallSpan> found;
  append_spans(WeeklyWindow{kEveryDay, 1h, 2h, seoul()}, at("2001-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), found);
  EXPECT_NEAR(static_cast<double>(found.size()), 100, 2);
}

}  // namespace
}  // namespace slosonde::slo
