#include "probe/engine/acknowledgements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slosonde::engine {
namespace {

using testing::ElementsAre;

constexpr Instant kNow = instant_from_unix_ns(1'769'817'600'000'000'000);

TEST(Acknowledgements, AreGivenOnceAndInOrderWhenWhatWasTakenIsSettled) {
  std::vector<int> told;
  Acknowledgements waiting;
  const auto wait = [&](int who, Duration after) {
    waiting.wait(kNow + after, [&told, who](const Result<void>& done) {
      EXPECT_TRUE(done);
      told.push_back(who);
    });
  };
  for (int i = 0; i < 4; ++i) wait(i, Duration(i));
  const auto up_to = [](Duration committed) { return [=](Instant taken) { return taken <= kNow + committed; }; };
  waiting.tell(up_to(Duration(-1)));
  EXPECT_TRUE(told.empty());
  waiting.tell(up_to(Duration(1)));
  EXPECT_THAT(told, ElementsAre(0, 1));
  EXPECT_FALSE(waiting.empty());
  waiting.tell(up_to(Duration(9)));
  waiting.tell(up_to(Duration(9)));
  EXPECT_THAT(told, ElementsAre(0, 1, 2, 3));
  EXPECT_TRUE(waiting.empty());
}

// A caller's answer may be its next command.
TEST(Acknowledgements, MayBeAskedForAgainFromWithin) {
  int told = 0;
  Acknowledgements waiting;
  waiting.wait(kNow, [&](const Result<void>&) {
    ++told;
    waiting.wait(kNow, [&](const Result<void>&) { ++told; });
  });
  const auto all = [](Instant) { return true; };
  waiting.tell(all);
  EXPECT_EQ(told, 1);
  waiting.tell(all);
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace slosonde::engine
