#include "probe/config/json_path.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace slosonde::config {
namespace {

std::string found(const char* path, const char* json) {
  const Result<JsonPath> parsed = JsonPath::parse(path);
  EXPECT_TRUE(parsed) << path << ": " << (parsed ? "" : parsed.error().text);
  if (!parsed) return "";
  const boost::json::value root = boost::json::parse(json);
  std::string all;
  for (const boost::json::value* value : parsed->find(root)) all += boost::json::serialize(*value) + ";";
  return all;
}

TEST(JsonPath, ReachesWhatItNames) {
  EXPECT_EQ(found("$", "5"), "5;");
  EXPECT_EQ(found("$.a.b", R"({"a": {"b": "x"}})"), "\"x\";");
  EXPECT_EQ(found("$['a b'][\"c.d\"]", R"({"a b": {"c.d": 1}})"), "1;");
  EXPECT_EQ(found("$.list[1]", R"({"list": [1, 2, 3]})"), "2;");
  EXPECT_EQ(found("$.list[-1]", R"({"list": [1, 2, 3]})"), "3;");
  EXPECT_EQ(found("$.list[*].id", R"({"list": [{"id": 1}, {"x": 9}, {"id": 2}]})"), "1;2;");
  EXPECT_EQ(found("$[*]", R"({"b": 1, "a": 2})"), "1;2;");
  EXPECT_EQ(found("$.한", R"({"한": true})"), "true;");
  EXPECT_EQ(found("$[0][0]", "[[7]]"), "7;");
}

TEST(JsonPath, ReachesNothingWhereNothingIs) {
  EXPECT_EQ(found("$.a", "[1]"), "");
  EXPECT_EQ(found("$.a", "{}"), "");
  EXPECT_EQ(found("$[0]", R"({"0": 1})"), "");
  EXPECT_EQ(found("$[3]", "[1, 2, 3]"), "");
  EXPECT_EQ(found("$[-4]", "[1, 2, 3]"), "");
  EXPECT_EQ(found("$[-9223372036854775808]", "[1]"), "");
  EXPECT_EQ(found("$.a.b.c", R"({"a": 1})"), "");
  EXPECT_EQ(found("$[*]", "5"), "");
}

TEST(JsonPath, RefusesWhatIsNone) {
  for (const char* wrong : {"", "a", ".a", "$a", "$.", "$..a", "$[", "$[]", "$[1", "$[1.5]", "$['a'", "$['a]", "$[a]",
                            "$[99999999999999999999]", "$.a[", "$ .a", "$.*"})
    EXPECT_FALSE(JsonPath::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace slosonde::config
