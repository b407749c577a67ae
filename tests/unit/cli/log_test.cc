#include "probe/cli/log.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace slosonde::cli {
namespace {

using config::LogFormat;

TEST(LogLine, LogfmtQuotesWhatNeedsIt) {
  EXPECT_EQ(log_line(LogFormat::logfmt, "2026-01-31T09:30:00.125Z", Level::warning, "watch out of sight",
                     {{"watch", "kafka incidents"}, {"slo", "x"}, {"empty", ""}, {"pair", "a=b"}}),
            "time=2026-01-31T09:30:00.125Z level=warning msg=\"watch out of sight\" watch=\"kafka incidents\" slo=x "
            "empty=\"\" pair=\"a=b\"");
}

TEST(LogLine, StaysOneLineWhateverIsInIt) {
  const std::string nasty = "a\nb\r\t\x1b[31m\"c\\d\x7f";
  EXPECT_EQ(log_line(LogFormat::logfmt, "t", Level::error, "m", {{"text", nasty}}),
            "time=t level=error msg=m text=\"a\\nb\\u000d\\u0009\\u001b[31m\\\"c\\\\d\\u007f\"");
}

TEST(LogLine, JsonReadsBack) {
  const std::string nasty = "a\nb\r\t\x1b[31m\"c\\d\x7f é";
  const std::string line = log_line(LogFormat::json, "t", Level::info, "m", {{"text", nasty}, {"empty", ""}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto read = boost::json::parse(line);
  EXPECT_EQ(read.at("level").as_string(), "info");
  EXPECT_EQ(read.at("msg").as_string(), "m");
  EXPECT_EQ(read.at("text").as_string(), nasty);
  EXPECT_EQ(read.at("empty").as_string(), "");
}

// A target's answer or a file's name may be anything; a collector that takes JSON drops a line that is none.
TEST(LogLine, BytesThatAreNoTextLeaveTheJsonWhole) {
  for (const std::string bad : {"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80 b", "\xc0\xaf"}) {
    const std::string line = log_line(LogFormat::json, "t", Level::info, "m", {{"text", "<" + bad + ">"}});
    boost::json::error_code error;
    const auto read = boost::json::parse(line, error);
    ASSERT_FALSE(error) << line;
    EXPECT_TRUE(read.at("text").as_string().starts_with("<")) << line;
    EXPECT_TRUE(read.at("text").as_string().ends_with(">")) << line;
    EXPECT_NE(read.at("text").as_string().find("\xEF\xBF\xBD"), std::string::npos) << line;
  }
  EXPECT_EQ(log_line(LogFormat::logfmt, "t", Level::info, "m", {{"text", "é\xff"}}),
            "time=t level=info msg=m text=\"é\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace slosonde::cli
