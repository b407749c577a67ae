#include "probe/config/exclusions.h"

#include <gtest/gtest.h>

#include "probe/config/time_zones.h"
#include "tests/unit/config/test_kinds.h"

namespace slosonde::config {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTransactions =
    "transactions:\n"
    "  - {name: a, every: 5s, stages: [{name: s, within: 2s, http: {url: \"http://h/\"}}]}\n"
    "  - {name: b, every: 5s, stages: [{name: s, within: 2s, http: {url: \"http://h/\"}}]}\n";

std::vector<Exclusion> read(const std::string& exclusions) {
  const auto loaded = load(test::source("test.yaml", kTransactions + ("exclusions: " + exclusions)), test::kinds());
  EXPECT_TRUE(loaded) << loaded.error().text("test.yaml");
  return loaded ? loaded->exclusions : std::vector<Exclusion>();
}

TEST(Exclusions, OnceIsFromOneInstantToAnother) {
  const auto read_ones = read("[{name: n, transactions: [b], start: 2026-11-22T01:00:00+09:00, for: 90m}]");
  ASSERT_EQ(read_ones.size(), 1U);
  EXPECT_EQ(read_ones[0].name, "n");
  EXPECT_EQ(read_ones[0].transactions, std::vector<size_t>{1});
  const auto begin = slo::parse_wall_time("2026-11-21T16:00:00Z").value();
  EXPECT_EQ(std::get<slo::WallSpan>(read_ones[0].window), (slo::WallSpan{begin, begin + 90min}));
}

TEST(Exclusions, WeeklyIsByTheLocalTimeOfItsZone) {
  const auto read_ones =
      read("[{name: n, weekly: {days: [sun, wed], from: \"22:00\", to: \"04:00\", time_zone: Asia/Seoul}}]");
  ASSERT_EQ(read_ones.size(), 1U);
  EXPECT_TRUE(read_ones[0].transactions.empty()) << "all";
  const auto& weekly = std::get<slo::WeeklyWindow>(read_ones[0].window);
  EXPECT_EQ(weekly.days, (std::array<bool, 7>{true, false, false, true, false, false, false}));
  EXPECT_EQ(weekly.from, Duration(22h));
  EXPECT_EQ(weekly.to, Duration(4h));
  EXPECT_EQ(weekly.zone->offset_at(1'795'000'000), 9 * 3600);
}

TEST(TimeZones, AreTheSystemsOwn) {
  const auto new_york = find_zone("America/New_York");
  ASSERT_TRUE(new_york);
  const auto at = [&](const char* utc) {
    return new_york->offset_at(unix_ns(*slo::parse_wall_time(utc)) / 1'000'000'000);
  };
  EXPECT_EQ(at("2026-03-08T06:59:59Z"), -5 * 3600);
  EXPECT_EQ(at("2026-03-08T07:00:00Z"), -4 * 3600);
  EXPECT_EQ(at("2026-11-01T05:59:59Z"), -4 * 3600);
  EXPECT_EQ(at("2026-11-01T06:00:00Z"), -5 * 3600);
  EXPECT_EQ(at("2036-07-01T00:00:00Z"), -4 * 3600);
  ASSERT_TRUE(find_zone("UTC"));
  EXPECT_EQ(find_zone("UTC")->offsets.size(), 1U);
  for (const char* name : {"", "Asia/Seul", "../Asia/Seoul", "/etc/localtime", "asia/seoul"})
    EXPECT_FALSE(find_zone(name)) << name;
}

}  // namespace
}  // namespace slosonde::config
