#include "probe/cli/table.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <sstream>

namespace slosonde::cli {
namespace {

std::string printed(const Table& table, bool colour = false, size_t indent = 0) {
  std::ostringstream out;
  table.print(out, colour, indent);
  return out.str();
}

TEST(Table, AlignsColumnsAndLeavesNoSpacesBehind) {
  Table table({"name", "n", "note"}, {1});
  table.add({{"a"}, {"1"}, {""}});
  table.add({{"longer"}, {"100"}, {"here"}});
  EXPECT_EQ(printed(table, false, 2),
            "  name      n  note\n"
            "  a         1\n"
            "  longer  100  here\n");
}

// What is refused in the configuration ("1m30s") must not be what we print of it.
TEST(Shown, ASettingIsShownAsTheFileTakesIt) {
  EXPECT_EQ(shown_setting(90), "90s");
  EXPECT_EQ(shown_setting(0.25), "250ms");
  EXPECT_EQ(shown_setting(3600), "1h");
}

TEST(Table, AnEmptyCellKeepsItsColumn) {
  Table table({"a", "b", "c"}, {1});
  table.add({{"x"}, {""}, {"z"}});
  table.add({{""}, {"22"}, {"z"}});
  EXPECT_EQ(printed(table),
            "a   b  c\n"
            "x      z\n"
            "   22  z\n");
}

TEST(Table, WidthsCountCharactersNotBytes) {
  Table table({"a", "b"});
  table.add({{"∞"}, {"x"}});
  table.add({{"é!"}, {"y"}});
  EXPECT_EQ(printed(table), "a   b\n∞   x\né!  y\n");
}

TEST(Table, ControlCharactersOfATargetDoNotReachTheTerminal) {
  Table table({"a"});
  table.add({{"evil\x1b[2J\nrow"}});
  EXPECT_EQ(printed(table), "a\nevil?[2J?row\n");
}

TEST(Table, ColoursDoNotDisturbTheColumns) {
  Table table({"a", "b"});
  table.add({{"bad", Tone::bad}, {"x"}});
  table.add({{"plain"}, {"y"}});
  EXPECT_EQ(printed(table, true), "\x1b[2ma\x1b[0m      \x1b[2mb\x1b[0m\n\x1b[31mbad\x1b[0m    x\nplain  y\n");
}

TEST(Table, ShortRowsAreFilledUp) {
  Table table({"a", "b"});
  table.add({{"x"}});
  EXPECT_EQ(printed(table), "a  b\nx\n");
}

TEST(ShownDuration, HasThreeFiguresOrTwoUnits) {
  EXPECT_EQ(shown_duration(0), "0 ms");
  EXPECT_EQ(shown_duration(0.00012), "0.12 ms");
  EXPECT_EQ(shown_duration(0.0123), "12.3 ms");
  EXPECT_EQ(shown_duration(0.9994), "999 ms");
  EXPECT_EQ(shown_duration(0.9996), "1 s");
  EXPECT_EQ(shown_duration(1.25), "1.25 s");
  EXPECT_EQ(shown_duration(59.94), "59.9 s");
  EXPECT_EQ(shown_duration(59.96), "1m");
  EXPECT_EQ(shown_duration(112.5), "1m 53s");
  EXPECT_EQ(shown_duration(3599.4), "59m 59s");
  EXPECT_EQ(shown_duration(3599.6), "1h");
  EXPECT_EQ(shown_duration(7500), "2h 5m");
  EXPECT_EQ(shown_duration(3.0 * 86400 + 4 * 3600), "3d 4h");
  EXPECT_EQ(shown_duration(-1.5), "-1.5 s");
  EXPECT_EQ(shown_duration(std::numeric_limits<double>::infinity()), "∞");
}

TEST(ShownShare, HasOnlyTheDecimalsItNeeds) {
  EXPECT_EQ(shown_share(1), "100%");
  EXPECT_EQ(shown_share(0.999), "99.9%");
  EXPECT_EQ(shown_share(0.5), "50%");
  EXPECT_EQ(shown_share(0), "0%");
  EXPECT_EQ(shown_share(-0.2512345), "-25.1235%");
  EXPECT_EQ(shown_share(0.000000001), "0%");
}

TEST(Colour, IsForTerminalsThatWantIt) {
  // The tests' stdout is no terminal.
  unsetenv("NO_COLOR");
  EXPECT_FALSE(wants_colour());
  EXPECT_EQ(toned("x", Tone::good, false), "x");
  EXPECT_EQ(toned("x", Tone::plain, true), "x");
}

}  // namespace
}  // namespace slosonde::cli
