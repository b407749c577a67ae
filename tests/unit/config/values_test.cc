#include "probe/config/values.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "tests/unit/config/test_kinds.h"

namespace slosonde::config {
namespace {

using namespace std::chrono_literals;

Config config_with(const std::string& http) {
  const std::string text =
      "transactions: [{name: t, every: 5s, stages: [{name: a, within: 1s, http: {url: \"http://h/{{seq}}\"" + http +
      "}}]}]\n";
  auto loaded = load(test::source("test.yaml", text), test::kinds());
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().text("test.yaml"));
  return loaded ? std::move(*loaded) : Config{};
}

Values http_with(const std::string& http) {
  return config_with(http).transactions.at(0).stages.at(0).use.values;
}

TEST(Values, HasEveryType) {
  const Values values = http_with(
      ", method: PUT, headers: {X-A: \"{{marker}}\", B: plain}, body: \"b {{seq}}\", password: \"${env:TOKEN}\","
      " follow: true, redirects: 7, factor: 1.5, pause: 1500ms, limit: 2MiB, proxy: \"[::1]:80\", ca_file: ca.pem,"
      " server_name: 12, brokers: one, tags: {k: v}, capture: {id: $.a}, expect: {status: 204, share: 12.5%,"
      " body: \"^a{2}\", value: \"$.b[0]\"}, more: [{name: x}, {name: y, value: \"{{zone}}\"}]");
  EXPECT_EQ(values.text("url"), "http://h/{{seq}}");
  EXPECT_EQ(values.text_template("url").placeholders(), std::vector<std::string>{"seq"});
  EXPECT_EQ(values.text("method"), "PUT");
  EXPECT_EQ(values.template_map("headers").at(0).first, "X-A");
  EXPECT_EQ(values.template_map("headers").at(1).second.source(), "plain");
  EXPECT_EQ(values.text_template("body").source(), "b {{seq}}");
  EXPECT_EQ(values.secret("password").reveal(), "hush-token-0123456789");
  EXPECT_TRUE(values.boolean("follow"));
  EXPECT_EQ(values.integer("redirects"), 7);
  EXPECT_EQ(values.number("factor"), 1.5);
  EXPECT_EQ(values.duration("pause"), Duration(1500ms));
  EXPECT_EQ(values.bytes("limit"), 2U * 1024 * 1024);
  EXPECT_EQ(values.text("proxy"), "[::1]:80");
  EXPECT_EQ(values.text("ca_file"), "/conf/ca.pem");
  EXPECT_EQ(values.text("server_name"), "12");
  EXPECT_EQ(values.texts("brokers"), std::vector<std::string>{"one"});
  EXPECT_EQ(values.text_map("tags").at(0), (std::pair<std::string, std::string>{"k", "v"}));
  EXPECT_EQ(values.json_path_map("capture").at(0).second.source(), "$.a");
  EXPECT_EQ(values.block("expect").integers("status"), std::vector<int64_t>{204});
  EXPECT_EQ(values.block("expect").share_ppb("share"), 125'000'000);
  EXPECT_EQ(values.block("expect").text("body"), "^a{2}");
  EXPECT_EQ(values.block("expect").json_path("value").source(), "$.b[0]");
  EXPECT_EQ(values.blocks("more").at(1).text_template("value").source(), "{{zone}}");
  EXPECT_EQ(values.path(), "transactions[0].stages[0].http");
  EXPECT_EQ(values.blocks("more").at(1).path("name"), "transactions[0].stages[0].http.more[1].name");
  EXPECT_EQ(values.position("method").line, 1);
}

TEST(Values, FillsDefaultsInAndTellsWhatIsAbsent) {
  const Values values = http_with("");
  EXPECT_EQ(values.text("method"), "GET");
  EXPECT_EQ(values.integer("redirects"), 5);
  EXPECT_EQ(values.bytes("limit"), 1024U * 1024);
  EXPECT_EQ(values.block("expect").integers("status"), std::vector<int64_t>{200});
  EXPECT_EQ(values.position("method").column, values.position().column);
  EXPECT_FALSE(values.has("body"));
  EXPECT_FALSE(values.has("password"));
  EXPECT_TRUE(values.has("method"));
  EXPECT_TRUE(values.secret("password").empty());
  EXPECT_TRUE(values.template_map("headers").empty());
  EXPECT_TRUE(values.json("json").is_null());
  EXPECT_TRUE(values.blocks("more").empty());
}

TEST(ValuesDeathTest, EndTheProcessWhenTheProgramAsksWrongly) {
  const Values values = http_with("");
  EXPECT_DEATH(values.text("nonsense"), "key 'nonsense' of block 'http' is not declared");
  EXPECT_DEATH(values.has("nonsense"), "is not declared");
  EXPECT_DEATH(values.integer("method"), "is of another type");
  EXPECT_DEATH(values.number("factor"), "ask has\\(\\) first");
  EXPECT_DEATH(Values().text("url"), "is not declared");
}

TEST(Values, JsonKeepsItsTypes) {
  const Values values = http_with(
      ", json: {t: \"{{marker}}\", n: 1, f: -1.5e3, b: true, z: null, q: \"1\", l: [a, [b], {c: d}], e: "
      "\"${env:PORT}\","
      " yes: yes, octal: 012, big: 18446744073709551615, k: 한국어}");
  EXPECT_EQ(boost::json::serialize(values.json("json")),
            R"({"t":"{{marker}}","n":1,"f":-1.5E3,"b":true,"z":null,"q":"1","l":["a",["b"],{"c":"d"}],"e":"8080",)"
            R"("yes":"yes","octal":"012","big":18446744073709551615,"k":"한국어"})");
}

TEST(Values, TakesWhatStandsInFilesAndVariables) {
  const Values values = http_with(", body: \"${file:body.json}\", server_name: \"z-${env:ZONE}-$${x}\"");
  EXPECT_EQ(values.text_template("body").source(), R"({"message": "{{marker}}"})");
  EXPECT_EQ(values.text_template("body").placeholders(), std::vector<std::string>{"marker"});
  EXPECT_EQ(values.text("server_name"), "z-kr-a-${x}");
}

TEST(Values, ViewsShowNoSecretAndNothingFromOutside) {
  const Config config = config_with(
      ", password_file: secret.txt, headers: {Authorization: \"Bearer ${env:TOKEN}\", X-Zone: \"in ${env:ZONE}\"}, "
      "json: [\"${env:TOKEN}\"],"
      " tags: {a: \"${env:TOKEN}\"}, brokers: [\"${env:TOKEN}\", b]");
  const std::string shown = boost::json::serialize(config.root.shown());
  for (const std::string_view secret : test::kSecretTexts) EXPECT_EQ(shown.find(secret), std::string::npos) << shown;
  const boost::json::value parsed = boost::json::parse(shown);
  const auto& http = parsed.at("transactions").at(0).at("stages").at(0).at("http");
  EXPECT_EQ(http.at("password").as_string(), "<secret>");
  EXPECT_EQ(http.at("headers").at("Authorization").as_string(), "<secret>");
  EXPECT_EQ(http.at("headers").at("X-Zone").as_string(), "in ${env:ZONE}");
  EXPECT_EQ(http.at("brokers").at(0).as_string(), "${env:TOKEN}");
  EXPECT_EQ(http.at("brokers").at(1).as_string(), "b");
  EXPECT_EQ(http.at("limit").as_string(), "1MiB");
  EXPECT_EQ(http.at("redirects").as_int64(), 5);
  EXPECT_EQ(http.at("expect").at("status").at(0).as_int64(), 200);
  EXPECT_EQ(parsed.at("probe").at("grace").as_string(), "10s");
}

TEST(Fingerprint, IsEqualForEqualValuesOnly) {
  const std::string plain = http_with("").fingerprint();
  EXPECT_EQ(plain.size(), 64U);
  EXPECT_EQ(plain, http_with(", method: GET, redirects: 5").fingerprint());
  EXPECT_EQ(plain, http_with(", expect: {status: [200]}").fingerprint());
  EXPECT_EQ(http_with(", server_name: kr-a").fingerprint(), http_with(", server_name: \"${env:ZONE}\"").fingerprint());
  std::set<std::string> different = {plain};
  for (const char* other :
       {", method: PUT", ", body: a", ", server_name: a", ", follow: true", ", expect: {status: 201}",
        ", expect: {status: [200, 200]}", ", tags: {a: bc}", ", tags: {ab: c}", ", brokers: [ab, c]",
        ", brokers: [a, bc]", ", password: \"${env:TOKEN}\"", ", password: \"${env:KEY}\"", ", json: 1",
        ", json: \"1\"", ", more: [{name: a}]", ", more: [{name: a}, {name: a}]", ", factor: 1", ", pause: 101ms",
        ", limit: 1025B"})
    EXPECT_TRUE(different.insert(http_with(other).fingerprint()).second) << other;
}

TEST(Fingerprint, DoesNotShowTheSecret) {
  EXPECT_EQ(http_with(", password: \"${env:TOKEN}\"").fingerprint().find("hush"), std::string::npos);
}

}  // namespace
}  // namespace slosonde::config
