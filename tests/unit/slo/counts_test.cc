#include "probe/slo/counts.h"

#include <gtest/gtest.h>

namespace slosonde::slo {
namespace {

TEST(Counts, CoverageIsTheShareThatCouldBeJudgedAndLeavesExclusionsOut) {
  const Counts counts{.good = 90, .bad = 5, .blind = 2, .probe_fault = 2, .missed = 1, .excluded_good = 1000};
  EXPECT_EQ(counts.judged(), 95U);
  EXPECT_EQ(counts.total(), 1100U);
  EXPECT_DOUBLE_EQ(counts.coverage().value(), 0.95);
  EXPECT_DOUBLE_EQ(counts.good_share().value(), 90.0 / 95.0);
}

TEST(Counts, WithWhatWasExcludedTheFiguresAreThoseOfAllThatHappened) {
  const Counts counts{
      .good = 90, .bad = 5, .missed = 5, .excluded_unjudged = 20, .excluded_good = 5, .excluded_bad = 75};
  EXPECT_DOUBLE_EQ(counts.good_share().value(), 90.0 / 95.0);
  EXPECT_DOUBLE_EQ(counts.with_excluded().good_share().value(), 95.0 / 175.0);
  EXPECT_DOUBLE_EQ(counts.with_excluded().coverage().value(), 175.0 / 200.0);
  EXPECT_EQ(counts.with_excluded().total(), counts.total());
}

TEST(Counts, AnExcludedEventKeepsWhatItWouldHaveBeen) {
  EXPECT_EQ(excluded(Event::good), Event::excluded_good);
  EXPECT_EQ(excluded(Event::bad), Event::excluded_bad);
  for (const Event event : {Event::blind, Event::probe_fault, Event::missed})
    EXPECT_EQ(excluded(event), Event::excluded_unjudged);
  for (const Event event : {Event::excluded_good, Event::excluded_bad, Event::excluded_unjudged})
    EXPECT_EQ(excluded(event), event);
}

TEST(Counts, NothingDecidedHasNoShares) {
  EXPECT_FALSE(Counts{}.coverage());
  EXPECT_FALSE(Counts{}.good_share());
  EXPECT_FALSE(Counts{.excluded_bad = 7}.coverage());
}

TEST(Counts, AllBlindIsNoCoverageNotNoAnswer) {
  EXPECT_DOUBLE_EQ(Counts{.blind = 3}.coverage().value(), 0.0);
  EXPECT_FALSE(Counts{.blind = 3}.good_share());
}

TEST(Counts, EachEventHasItsOwnField) {
  Counts counts;
  for (size_t i = 0; i < kEvents; ++i) counts[static_cast<Event>(i)] = 10 + i;
  const Counts expected{.good = 10,
                        .bad = 11,
                        .blind = 12,
                        .probe_fault = 13,
                        .missed = 14,
                        .excluded_unjudged = 15,
                        .excluded_good = 16,
                        .excluded_bad = 17};
  EXPECT_EQ(counts, expected);
  Counts twice = counts + counts;
  EXPECT_EQ(twice.excluded(), 96U);
  twice -= counts;
  EXPECT_EQ(twice, expected);
}

}  // namespace
}  // namespace slosonde::slo
