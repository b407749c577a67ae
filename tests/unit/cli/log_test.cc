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

}  // namespace
}  // namespace slosonde::cli
