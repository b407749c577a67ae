#include "probe/cli/hook_sight.h"

#include <gtest/gtest.h>

namespace slosonde::cli {
namespace {

TEST(HookSight, PostsBelowTheExternalUrl) {
  EXPECT_EQ(way_in_url("https://probe.example"), "https://probe.example/-/hook-sight");
  EXPECT_EQ(way_in_url("https://probe.example:8443/"), "https://probe.example:8443/-/hook-sight");
  EXPECT_EQ(way_in_url("https://[::1]/outside//"), "https://[::1]/outside/-/hook-sight");
  EXPECT_EQ(way_in_url("https://probe.example/a?zone=b#c"), "https://probe.example/a/-/hook-sight?zone=b");
  EXPECT_EQ(way_in_url("https://probe.example?zone=b/"), "https://probe.example/-/hook-sight?zone=b/");
}

}  // namespace
}  // namespace slosonde::cli
