#include "probe/cli/memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace slosonde::cli {
namespace {

size_t resident_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  }
  return 0;
}

// A table of constants with relocations: such pages are our own copies, and dropping them would lose what they hold.
const char* const kTexts[] = {"one", "two", "three", "four"};

TEST(DropStartupPages, MakesTheProcessSmallerAndLosesNothing) {
  const std::string before = kTexts[2];
  const size_t resident = resident_kilobytes();
  const size_t dropped = drop_startup_pages();
  EXPECT_GT(dropped, 1024U * 1024) << "a process with this many libraries has more to let go of";
  EXPECT_LT(resident_kilobytes(), resident);
  EXPECT_EQ(before, kTexts[2]);
  // Everything still runs: streams, exceptions with their unwinding tables, locale, a second time.
  EXPECT_THROW(std::stoul("x"), std::invalid_argument);
  drop_startup_pages();
  EXPECT_EQ(std::to_string(42), "42");
}

}  // namespace
}  // namespace slosonde::cli
