#include "probe/config/mask.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "tests/unit/config/test_kinds.h"

namespace slosonde::config {
namespace {

Mask hiding(std::string_view value) {
  Mask mask;
  mask.hide(value, "<it>");
  return mask;
}

TEST(Mask, ShowsWhatWasWrittenInstead) {
  const Mask mask = hiding("hunter2!");
  EXPECT_EQ(mask.apply("no such thing"), "no such thing");
  EXPECT_EQ(mask.apply("hunter2!, xhunter2!x"), "<it>, x<it>x");
  EXPECT_EQ(Mask().apply("hunter2!"), "hunter2!");
}

TEST(Mask, TheLongerOfTwoWins) {
  Mask mask;
  mask.hide("token-0123456789", "<short>");
  mask.hide("my token-0123456789", "<long>");
  EXPECT_EQ(mask.apply("my token-0123456789, token-0123456789"), "<long>, <short>");
}

TEST(Mask, AShortOneIsHiddenWhereItStandsAlone) {
  const Mask mask = hiding("to");
  EXPECT_EQ(mask.apply("/to/ \"to\" token auto to"), "/<it>/ \"<it>\" token auto <it>");
}

TEST(Mask, KnowsTheFormsThatTargetsRepeat) {
  const Mask mask = hiding("a/b \"c\" \\<&");
  for (const char* form : {R"(a/b \"c\" \\<&)", R"(a\/b \"c\" \\<&)", "a%2Fb%20%22c%22%20%5C%3C%26",
                           "a%2fb%20%22c%22%20%5c%3c%26", "a/b &quot;c&quot; \\&lt;&amp;"})
    EXPECT_EQ(mask.apply("said: " + std::string(form) + "."), "said: <it>.") << form;
}

// base64 of "x", "xy" and "xyz" before the secret, and of "?" after it.
TEST(Mask, FindsASecretWithinBase64) {
  const Mask mask = hiding("hunter2");
  for (const char* form : {"aHVudGVyMg==", "eGh1bnRlcjI=", "eHlodW50ZXIyPw==", "eHl6aHVudGVyMj8="})
    EXPECT_EQ(mask.apply("Basic " + std::string(form) + "!"), "Basic <it>!") << form;
  EXPECT_EQ(hiding("\xff\xfe\xfd\xfc\xfb\xfa").apply("__79_Pv6 //79/Pv6"), "<it> <it>");
}

TEST(Mask, HidesEachLineOfAKey) {
  const Mask mask = hiding("-----BEGIN KEY-----\r\nMIIEvQIBADANBg\n}\n-----END KEY-----");
  EXPECT_EQ(mask.apply("bad line MIIEvQIBADANBg here }"), "bad line <it> here }");
}

TEST(Mask, HidesTheBeginningOfWhatWasCutOff) {
  const Mask mask = hiding("0123456789abcdef");
  EXPECT_EQ(mask.apply("it says 0123456789ab"), "it says <it>");
  EXPECT_EQ(mask.apply("it says 0123"), "it says 0123");  // too little to tell
}

TEST(Mask, WhatBeginsBeforeTheEndIsTakenWhole) {
  const Mask mask = hiding("0123456789abcdef");
  const Mask::Part part = mask.apply("say 0123456789abcdef now", 8);
  EXPECT_EQ(part.text, "say <it>");
  EXPECT_EQ(part.taken, 20U);
  EXPECT_EQ(mask.apply("say 0123456789abcdef now", 3).text, "say");
}

// What a kind's block says of a value it does not like is said before anybody else sees it.
TEST(Mask, ProblemsShowNothingFromOutside) {
  const std::string text =
      "transactions:\n  - name: t\n    every: 5s\n    stages:\n      - {name: a, within: 1s, http: {url: "
      "\"http://h/\", "
      "body: \"${env:TOKEN}\"}}\n";
  const auto config = load(test::source("a.yaml", text), test::kinds());
  ASSERT_TRUE(config);
  Problems problems;
  problems.hide_with(config->root.mask());
  problems.add({1, 1}, "x", "`hush-token-0123456789` is no good");
  EXPECT_EQ(problems.list()[0].message, "`${env:TOKEN}` is no good");
}

class MaskOf : public testing::Test {
 protected:
  static std::string masked(const std::string& http, const std::string& text, const std::string& more = "") {
    const auto config = load(test::source("a.yaml",
                                          "transactions:\n  - name: t\n    every: 5s\n    stages:\n      - {name: "
                                          "a, within: 1s, http: {" +
                                              http + "}}\n" + more),
                             test::kinds());
    EXPECT_TRUE(config) << config.error().text("a.yaml");
    return config ? config->root.mask()->apply(text) : "";
  }
};

TEST_F(MaskOf, AUrlsHostAndPortAreShown) {
  const std::string url = "url: \"http://kr-a:8080/x/${env:TOKEN}?k=${env:KEY}\"";
  EXPECT_EQ(masked(url, "http://kr-a:8080/x/hush-token-0123456789?k=hush-key-0123456789"),
            "http://kr-a:8080/x/${env:TOKEN}?k=${env:KEY}");
  EXPECT_EQ(masked("url: \"http://${env:ZONE}:${env:PORT}/\"", "http://kr-a:8080/"), "http://kr-a:8080/");
}

TEST_F(MaskOf, AWholeUrlFromOutsideHidesItsPath) {
  const std::string url = "url: \"${env:URL}\"";
  EXPECT_EQ(masked(url, "GET http://hooks:81/services/T0/hush-in-a-path: refused"),
            "GET http://hooks:81${env:URL}: refused");
  EXPECT_EQ(masked(url, "no route for hush-in-a-path"), "no route for ${env:URL}");
  EXPECT_EQ(masked(url, "token hush-in-a-query"), "token ${env:URL}");
}

TEST_F(MaskOf, EveryTextOfAKindIsHidden) {
  for (const char* key :
       {"body: \"${env:TOKEN}\"", "json: {a: [\"${env:TOKEN}\"]}", "tags: {a: \"${env:TOKEN}\"}",
        "headers: {A: \"b ${env:TOKEN}\"}", "query: {a: \"${env:TOKEN}\"}", "brokers: [\"${env:TOKEN}\"]",
        "expect: {body: \"x${env:TOKEN}\"}", "more: [{name: a, value: \"${env:TOKEN}\"}]"})
    EXPECT_EQ(masked("url: \"http://h/\", " + std::string(key), "it says hush-token-0123456789"),
              "it says ${env:TOKEN}")
        << key;
  EXPECT_EQ(masked("url: \"http://h/\", password: \"${env:TOKEN}\"", "it says hush-token-0123456789"),
            "it says <secret>");
}

TEST_F(MaskOf, NamesAreShown) {
  const std::string probe = "probe: {zone: \"${env:ZONE}\", key: \"${env:KEY}\"}\n";
  EXPECT_EQ(masked("url: \"http://h/\"", "zone kr-a, key hush-key-0123456789", probe), "zone kr-a, key <secret>");
}

}  // namespace
}  // namespace slosonde::config
