// No error of an HTTP check shows what it was given to keep, whatever the target makes of it.
#include <gmock/gmock.h>

#include "checks/net/header_name.h"
#include "tests/unit/checks/peer.h"
#include "tests/unit/checks/probe_run.h"
#include "tests/unit/io/turning.h"

namespace slosonde::checks {
namespace {

using testing::HasSubstr;
using testing::Not;

// `${env:SECRET}` is hunter2 (probe_run.cc).
constexpr const char* kBasic = "bWU6aHVudGVyMg";  // me:hunter2

std::string error_of(const Peer& peer, const std::string& more, const std::string& path = "/") {
  io::Real real;
  OneCheck check(real, "http: {url: '" + peer.url(path) + "', " + more + "}");
  const Captures captures = {{"id", "a-captured-token"}};
  check.context.captures = &captures;
  const CheckResult result = check.run();
  EXPECT_NE(result.outcome, Outcome::held);
  EXPECT_THAT(result.error.text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(result.error.text, Not(HasSubstr(kBasic)));
  EXPECT_THAT(result.error.text, Not(HasSubstr("a-captured-token")));
  return result.error.text;
}

// The line of the request that begins so, and nothing else.
std::string line_of(const std::string& request, const std::string& begin) {
  const size_t at = request.find(begin);
  return at == std::string::npos ? "no " + begin : request.substr(at, request.find("\r\n", at) - at);
}

TEST(HttpSecrets, AnAnswerThatRepeatsOurHeaderDoesNotShowIt) {
  for (const std::string name : {"Authorization", "X-Api-Key", "Cookie", "X-Anything"}) {
    const Peer peer(
        [&](const std::string& request) { return http_answer(401, "bad " + line_of(request, name + ":")); });
    EXPECT_THAT(error_of(peer, "headers: {" + name + ": 'Bearer ${env:SECRET}'}"),
                HasSubstr("the body says \"bad " + name + ": Bearer ${env:SECRET}\""));
  }
  const Peer peer([](const std::string& request) { return http_answer(401, line_of(request, "Authorization:")); });
  EXPECT_THAT(error_of(peer, "bearer: '${env:SECRET}'"), HasSubstr("\"Authorization: Bearer <secret>\""));
  EXPECT_THAT(error_of(peer, "basic: {username: me, password: '${env:SECRET}'}"),
              HasSubstr("\"Authorization: Basic <secret>\""));
  EXPECT_THAT(error_of(peer, "headers: {Authorization: 'Bearer {{captured.id}}'}"),
              HasSubstr("\"Authorization: Bearer {{captured.id}}\""));
}

TEST(HttpSecrets, AShortPasswordIsHiddenInBasicAuthentication) {
  const Peer peer([](const std::string& request) { return http_answer(401, line_of(request, "Authorization:")); });
  io::Real real;
  OneCheck check(real, "http: {url: '" + peer.url() + "', basic: {username: me, password: '${env:SHORT}'}}");
  EXPECT_THAT(check.run().error.text, Not(HasSubstr("bWU6cHc")));
}

TEST(HttpSecrets, WhatIsCutOffLeavesNoHalf) {
  for (int before : {120, 140, 158, 159, 160}) {
    const Peer peer(
        [&](const auto&) { return http_answer(500, std::string(before, '.') + "hunter2" + std::string(99, '.')); });
    EXPECT_THAT(error_of(peer, "bearer: '${env:SECRET}'"), Not(HasSubstr("hun"))) << before;
  }
}

TEST(HttpSecrets, TheUrlShowsWhatWasWritten) {
  const Peer peer([](const auto&) { return http_answer(404, ""); });
  const std::string text = error_of(peer, "method: GET", "/hooks/${env:SECRET}/x?token=${env:SECRET}");
  EXPECT_THAT(text, HasSubstr("GET " + peer.url("/hooks/${env:SECRET}/x?…") + ": status 404"));
  EXPECT_THAT(error_of(peer, "query: {token: '${env:SECRET}'}", "/{{captured.id}}"),
              HasSubstr(peer.url("/{{captured.id}}?…")));
  const Peer gone([](const auto&) { return std::string("HTTP/1.1"); });
  EXPECT_THAT(error_of(gone, "method: GET", "/${env:SECRET}"), HasSubstr("/${env:SECRET}: "));
}

TEST(HttpSecrets, ARedirectThatRepeatsThemDoesNotShowThem) {
  const Peer peer([](const auto&) { return http_answer(302, "", "Location: /login/hunter2/a-captured-token\r\n"); });
  EXPECT_THAT(error_of(peer, "bearer: '${env:SECRET}'"), HasSubstr("/login/<secret>/{{captured.id}}"));
  const Peer bad([](const auto&) { return http_answer(302, "", "Location: http://me:hunter2@[x/hunter2\r\n"); });
  EXPECT_THAT(error_of(bad, "method: GET, redirects: follow"), HasSubstr("302"));
}

TEST(HttpSecrets, WhatIsExpectedIsShownAsWritten) {
  const Peer peer([](const auto&) {
    return http_answer(200, R"({"a": "hunter2", "b": ["x", "a-captured-token"]})", "X-Got: xx-hunter2\r\n");
  });
  const std::string env = "${env:SECRET}";
  for (const std::string expect :
       {"header: {X-Got: 'no ${env:SECRET}'}", "header_regex: {X-Got: '^${env:SECRET}$'}",
        "body: {contains: 'no ${env:SECRET}'}", "body: {not_contains: '${env:SECRET}'}",
        "body: {regex: '^${env:SECRET}$'}", "body: {json: [{path: $.a, equals: 'no ${env:SECRET}'}]}",
        "body: {json: [{path: $.a, regex: '^x${env:SECRET}$'}]}"})
    EXPECT_THAT(error_of(peer, "expect: {" + expect + "}"), HasSubstr(env)) << expect;
  EXPECT_THAT(error_of(peer, "expect: {body: {json: [{path: $.b, equals: 'not {{captured.id}}'}]}}"),
              HasSubstr("{{captured.id}}"));
}

TEST(HttpSecrets, ACookieOfTheTargetIsNotShown) {
  const Peer peer([](const auto&) { return http_answer(200, "", "Set-Cookie: sid=a-captured-token-of-theirs\r\n"); });
  const std::string text = error_of(peer, "expect: {header_regex: {Set-Cookie: 'user='}}");
  EXPECT_THAT(text, HasSubstr("header Set-Cookie does not match \"user=\""));
}

TEST(HeaderName, SaysWhetherASecretIsCarried) {
  for (const char* name : {"Authorization", "PROXY-authorization", "Cookie", "Set-Cookie", "X-Api-Key", "api_key",
                           "apikey", "X-Auth-Token", "Private-Token", "X-Vault-Token", "Ocp-Apim-Subscription-Key",
                           "x-functions-key", "X-Client-Secret", "X-Amz-Security-Token", "DD-API-KEY"})
    EXPECT_TRUE(carries_secret(name)) << name;
  for (const char* name : {"Accept", "Idempotency-Key", "X-Request-Id", "Content-Type", "X-Tokenizer",
                           "Sec-WebSocket-Key", "traceparent", "X-Partition-Key", ""})
    EXPECT_FALSE(carries_secret(name)) << name;
}

}  // namespace
}  // namespace slosonde::checks
