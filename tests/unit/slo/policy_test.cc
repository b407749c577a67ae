#include "probe/slo/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/slo/history.h"
#include "tests/unit/slo/random.h"

namespace slosonde::slo {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Objective k999{.good_ppb = 999'000'000};

// The Site Reliability Workbook, ch. 5, "Multiwindow, Multi-Burn-Rate Alerts": the four tiers of its example for 99.9
// %.
TEST(Policy, IsTheWorkbooksForThirtyDays) {
  EXPECT_THAT(default_tiers(720h),
              ElementsAre(Tier{Severity::page, {14'400}, 1h, 5min, 2}, Tier{Severity::page, {6'000}, 6h, 30min, 2},
                          Tier{Severity::ticket, {3'000}, 24h, 2h, 2}, Tier{Severity::ticket, {1'000}, 72h, 6h, 2}));
}

TEST(Policy, WindowsScaleWithThePeriodAndFactorsStay) {
  const auto day = default_tiers(24h, 3);
  EXPECT_THAT(
      day,
      ElementsAre(Tier{Severity::page, {14'400}, 2min, 10s, 3}, Tier{Severity::page, {6'000}, 12min, 1min, 3},
                  Tier{Severity::ticket, {3'000}, 48min, 4min, 3}, Tier{Severity::ticket, {1'000}, 144min, 12min, 3}));
  EXPECT_EQ(default_tiers(kLongestPeriod)[0], (Tier{Severity::page, {14'400}, 3h, 15min, 2}));
  EXPECT_EQ(default_tiers(kLongestPeriod)[3], (Tier{Severity::ticket, {1'000}, 216h, 18h, 2}));
  // A week: 14 min and 70 s; 84 min and 7 min; 5.6 h and 28 min; 16.8 h and 84 min.
  EXPECT_EQ(default_tiers(168h)[0].long_window, Duration(14min));
  EXPECT_EQ(default_tiers(168h)[0].short_window, Duration(70s));
  EXPECT_EQ(default_tiers(168h)[3].long_window, Duration(1008min));
}

// The same chapter's table: 2 % of the budget in 1 h at 14.4, 5 % in 6 h at 6, 10 % in 3 d at 1. It holds for every
// period.
TEST(Policy, BudgetSpentWhenATierFires) {
  const double spent[] = {0.02, 0.05, 0.10, 0.10};
  for (const Duration period : {Duration(24h), Duration(168h), Duration(720h), kLongestPeriod}) {
    const Terms terms{.objective = k999, .period = period, .every = 1s};
    const auto tiers = default_tiers(period);
    for (size_t i = 0; i < tiers.size(); ++i)
      EXPECT_NEAR(outlook(tiers[i], terms, 0s).budget_spent, spent[i], 1e-9) << format_duration(period) << " " << i;
  }
}

TEST(Policy, WindowsThatDoNotScaleToSlotsAreRoundedUpAndStillGrow) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const Duration period = random.magnitude(1h, kLongestPeriod);
    for (const Tier& tier : default_tiers(period)) {
      EXPECT_EQ(whole_slots(tier.long_window), tier.long_window);
      EXPECT_EQ(whole_slots(tier.short_window), tier.short_window);
      EXPECT_LE(tier.short_window, tier.long_window);
      EXPECT_NE(misfit(tier, {.objective = k999, .period = period, .every = 1ms}), Misfit::longer_than_period);
    }
  }
}

TEST(Policy, FailuresAndMedianTimeToSeeAnOutage) {
  const Terms terms{.objective = k999, .period = 720h, .every = 15s};
  const auto tiers = default_tiers(720h);
  // 14.4 * .1 % * 240 = 3.456 -> 4; 6 * .1 % * 1,440 = 8.64 -> 9; 3 * .1 % * 5,760 = 17.28 -> 18; .1 % * 17,280 = 17.28
  // -> 18.
  const uint64_t failures[] = {4, 9, 18, 18};
  for (size_t i = 0; i < tiers.size(); ++i) EXPECT_EQ(outlook(tiers[i], terms, 10s).failures, failures[i]);
  EXPECT_EQ(outlook(tiers[0], terms, 10s).outage_seen, Duration(52500ms + 10s));
  EXPECT_EQ(outlook(tiers[1], terms, 0s).outage_seen, Duration(127500ms));
  // min_bad is the larger here: 14.4 * .1 % * 60 = .864.
  const Terms slow{.objective = k999, .period = 720h, .every = 1min};
  EXPECT_EQ(outlook(tiers[0], slow, 0s).failures, 2U);
  EXPECT_EQ(outlook(tiers[0], slow, 0s).outage_seen, Duration(90s));
  EXPECT_FALSE(outlook(tiers[0], slow, 0s).short_is_thin);
  EXPECT_TRUE(outlook(tiers[0], {.objective = k999, .period = 720h, .every = 2min}, 0s).short_is_thin);
}

TEST(Policy, ATierThatCannotFireIsDroppedWithItsReason) {
  // At 90 % an outage burns at 10: 14.4 is out of reach.
  const Terms loose{.objective = {.good_ppb = 900'000'000}, .period = 720h, .every = 15s};
  const Policy policy = default_policy(loose);
  ASSERT_EQ(policy.dropped.size(), 1U);
  EXPECT_EQ(policy.tiers.size(), 3U);
  EXPECT_EQ(policy.dropped[0].reason, Misfit::never_over);
  EXPECT_EQ(label(policy.dropped[0].tier), "14.4x1h");
  EXPECT_THAT(explain(Misfit::never_over, policy.dropped[0].tier, loose),
              HasSubstr("14.4x1h can never fire: with an objective of 90% a total outage burns at 10"));

  const Terms rare{.objective = k999, .period = 720h, .every = 50min};
  const Policy hourly = default_policy(rare);
  ASSERT_EQ(hourly.dropped.size(), 2U);
  EXPECT_EQ(hourly.dropped[0].reason, Misfit::too_few_runs);
  EXPECT_THAT(explain(Misfit::too_few_runs, hourly.dropped[0].tier, rare), HasSubstr("holds 1, and min_bad is 2"));
  EXPECT_EQ(hourly.dropped[1].reason, Misfit::short_too_short);
  EXPECT_THAT(explain(Misfit::short_too_short, hourly.dropped[1].tier, rare),
              HasSubstr("short window of 30m is shorter than one run every 50m"));
  EXPECT_TRUE(default_policy({.objective = k999, .period = 720h, .every = 5min}).dropped.empty());
}

TEST(Policy, EdgesOfWhatCanFire) {
  const Tier tier{Severity::page, {10'000}, 1h, 5min, 2};
  const auto at = [&](int64_t good_ppb, Duration every) {
    return misfit(tier, {.objective = {.good_ppb = good_ppb}, .period = 720h, .every = every});
  };
  EXPECT_EQ(at(900'000'000, 15s), Misfit::never_over);  // 10 * 10 % = 1
  EXPECT_EQ(at(900'000'001, 15s), Misfit::none);
  EXPECT_EQ(at(999'000'000, 5min), Misfit::none);
  EXPECT_EQ(at(999'000'000, 5min + 1ns), Misfit::short_too_short);
  EXPECT_EQ(at(999'000'000, 30min + 1ns), Misfit::too_few_runs);
  const Terms terms{.objective = k999, .period = 72h, .every = 1s};
  EXPECT_EQ(misfit({Severity::page, {1000}, 73h, 1h, 2}, terms), Misfit::longer_than_period);
  EXPECT_EQ(misfit({Severity::page, {1000}, 1h, 2h, 2}, terms), Misfit::short_not_shorter);
  EXPECT_EQ(misfit({Severity::page, {1000}, 1h, 9s, 2}, terms), Misfit::short_too_short);
  EXPECT_THAT(explain(Misfit::short_too_short, {Severity::page, {1000}, 1h, 9s, 2}, terms),
              HasSubstr("shorter than the 10s by which runs are counted"));
}

TEST(Policy, WindowsOfAreThoseAHistoryNeeds) {
  EXPECT_THAT(windows_of(default_tiers(720h), 720h), ElementsAre(5min, 30min, 1h, 2h, 6h, 24h, 72h, 720h));
  EXPECT_THAT(windows_of({}, 168h), ElementsAre(Duration(168h)));
}

TEST(Policy, LabelsAreUniqueInEveryDefaultPolicy) {
  const auto tiers = default_tiers(720h);
  EXPECT_EQ(label(tiers[1]), "6x6h");
  EXPECT_EQ(label(tiers[2]), "3x1d");
  EXPECT_EQ(label(tiers[3]), "1x3d");
  EXPECT_EQ(name(Severity::page), "page");
  EXPECT_EQ(name(Severity::ticket), "ticket");
}

}  // namespace
}  // namespace slosonde::slo
