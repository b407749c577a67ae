#include "probe/cli/last_resort.h"

#include <gtest/gtest.h>

#include <future>

namespace slosonde::cli {
namespace {

using std::chrono::hours;

TEST(LastResort, ActsOnceWhenItIsNotOverInTimeHoweverMuchWasAllowedBefore) {
  std::promise<void> acted;
  LastResort last_resort([&] { acted.set_value(); });  // a second call would throw
  last_resort.within(hours(1));
  last_resort.within(Duration());
  last_resort.within(hours(1));
  EXPECT_EQ(acted.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  last_resort.within(Duration());
  last_resort.over();
}

TEST(LastResort, DoesNothingOnceItIsOver) {
  bool acted = false;
  LastResort last_resort([&] { acted = true; });
  last_resort.within(hours(1));
  last_resort.over();
  last_resort.within(Duration());
  last_resort.over();
  EXPECT_FALSE(acted);
}

}  // namespace
}  // namespace slosonde::cli
