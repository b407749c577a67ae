#include "probe/config/template.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <map>

namespace slosonde::config {
namespace {

class Map : public Variables {
 public:
  using Values = std::map<std::string, std::string, std::less<>>;
  explicit Map(Values values) : values_(std::move(values)) {}
  std::optional<std::string_view> variable(std::string_view name) const override {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }

 private:
  Values values_;
};

std::string rendered(std::string_view text) {
  const Result<Template> parsed = Template::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().text);
  return parsed ? parsed->render(Map({{"marker", "sonde1-x"}, {"seq", "7"}, {"captured.id", "a{{seq}}b"}})) : "";
}

TEST(Template, FillsPlaceholdersIn) {
  EXPECT_EQ(rendered("{{marker}}"), "sonde1-x");
  EXPECT_EQ(rendered("a {{ marker }} b {{seq}}"), "a sonde1-x b 7");
  EXPECT_EQ(rendered("none"), "none");
  EXPECT_EQ(rendered(""), "");
  EXPECT_EQ(rendered("{{seq}}{{seq}}"), "77");
  EXPECT_EQ(rendered("한국어 {{seq}} 日本 🎈"), "한국어 7 日本 🎈");
}

TEST(Template, RendersWhatARunDoesNotHaveAsNothing) {
  EXPECT_EQ(rendered("[{{captured.other}}]"), "[]");
}

TEST(Template, DoesNotReadValuesAsTemplatesAgain) {
  EXPECT_EQ(rendered("{{captured.id}}"), "a{{seq}}b");
}

TEST(Template, LeavesBracesThatOpenNothing) {
  EXPECT_EQ(rendered(R"({"a": {"b": {}}})"), R"({"a": {"b": {}}})");
  EXPECT_EQ(rendered(R"({"a":{{{seq}}}})"), R"({"a":{7}})");
  EXPECT_EQ(rendered("}} { }"), "}} { }");
  EXPECT_EQ(rendered(R"({{"{{"}}seq}})"), "{{seq}}");
  EXPECT_EQ(rendered(R"({{ "{{" }})"), "{{");
}

TEST(Template, KnowsEveryPlaceholderAndNoOther) {
  for (const std::string_view name : kPlaceholders)
    EXPECT_TRUE(Template::parse("{{" + std::string(name) + "}}")) << name;
  for (const char* wrong : {"{{}}", "{{markers}}", "{{captured}}", "{{captured.}}", "{{captured.a b}}", "{{Marker}}",
                            "{{marker", "{{{", "{{\n}}", "{{captured.0}}"})
    EXPECT_FALSE(Template::parse(wrong)) << wrong;
  EXPECT_NE(Template::parse("{{makrer}}").error().text.find("did you mean `marker`?"), std::string::npos);
}

TEST(Template, SaysWhatItHolds) {
  const Template constant = *Template::parse(R"(plain {{"{{"}})");
  EXPECT_TRUE(constant.is_constant());
  EXPECT_TRUE(Template().is_constant());
  const Template parsed = *Template::parse("{{seq}} {{captured.id}}");
  EXPECT_FALSE(parsed.is_constant());
  EXPECT_FALSE(Template::parse("{{seq}}")->is_constant());
  EXPECT_EQ(parsed.placeholders(), (std::vector<std::string>{"seq", "captured.id"}));
  EXPECT_EQ(parsed.source(), "{{seq}} {{captured.id}}");
}

TEST(RenderJson, EscapesWhatJsonEscapes) {
  const Map map(Map::Values{{"marker", "\"\\\b\f\n\r\t\x01\x1f/한국어日本🎈"}});
  const std::string text = render_json(boost::json::value("<{{marker}}>"), map);
  EXPECT_EQ(text, "\"<\\\"\\\\\\u0008\\u000c\\n\\r\\t\\u0001\\u001f/한국어日本🎈>\"");
  EXPECT_EQ(boost::json::parse(text).as_string(), "<\"\\\b\f\n\r\t\x01\x1f/한국어日本🎈>");
}

TEST(RenderJson, KeepsTypesOrderAndKeys) {
  const auto value =
      boost::json::parse(R"({"z": [1, -2.5, true, null, "{{seq}}"], "a\"b": {"c": 18446744073709551615}})");
  EXPECT_EQ(render_json(value, Map(Map::Values{{"seq", "7"}})),
            R"({"z":[1,-2.5E0,true,null,"7"],"a\"b":{"c":18446744073709551615}})");
}

TEST(RenderJson, MakesValidJsonOfBytesThatAreNoText) {
  const std::string text =
      render_json(boost::json::value("{{marker}}"), Map(Map::Values{{"marker", "a\xFF\xC0\x80\xED\xA0\x80z"}}));
  boost::system::error_code error;
  boost::json::parse(text, error);
  EXPECT_FALSE(error) << text;
  EXPECT_EQ(text.front(), '"');
  EXPECT_NE(text.find("a\xEF\xBF\xBD"), std::string::npos);
  EXPECT_NE(text.find("z\""), std::string::npos);
}

}  // namespace
}  // namespace slosonde::config
