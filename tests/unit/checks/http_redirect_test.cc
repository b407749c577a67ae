#include <gmock/gmock.h>

#include "tests/unit/checks/peer.h"
#include "tests/unit/checks/probe_run.h"

namespace slosonde::checks {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string redirect(int status, const std::string& to) {
  return http_answer(status, "", "Location: " + to + "\r\n");
}

CheckResult run(io::Real& real, const std::string& url, const std::string& more) {
  OneCheck check(real, "http: {url: \"" + url + "\", " + more + "}");
  return check.run();
}

TEST(HttpRedirect, IsNotFollowedUnlessAllowed) {
  const Peer peer([](const auto&) { return redirect(302, "/there?key=hunter2"); });
  io::Real real;
  const CheckResult result = run(real, peer.url(), "redirects: none");
  EXPECT_EQ(result.outcome, Outcome::wrong);
  EXPECT_EQ(result.error.code, ErrorCode::redirected);
  EXPECT_THAT(result.error.text, AllOf(HasSubstr("a redirect to " + peer.url("/there?…")), Not(HasSubstr("hunter2"))));
  EXPECT_EQ(run(real, peer.url(), "expect: {status: 302}").outcome, Outcome::held);
}

TEST(HttpRedirect, GoesHopByHop) {
  const Peer peer([](const std::string& request) {
    if (request.starts_with("POST /a ")) return redirect(303, "/b");
    if (request.starts_with("GET /b ")) return redirect(302, "c/d");
    return http_answer(request.starts_with("GET /c/d ") ? 200 : 404, "");
  });
  io::Real real;
  const CheckResult result = run(real, peer.url("/a"), "redirects: same_host, json: {a: 1}, bearer: '${env:SECRET}'");
  EXPECT_EQ(result.outcome, Outcome::held) << result.error.text;
  const auto requests = peer.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_THAT(requests[2], AllOf(HasSubstr("Authorization: Bearer hunter2"), Not(HasSubstr("Content-Type"))));
}

TEST(HttpRedirect, TheNextRunSendsAgainWhatWasLeftBehind) {
  const Peer other([](const auto&) { return http_answer(200, ""); });
  const Peer peer([&](const auto&) { return redirect(303, other.url("/x")); });
  io::Real real;
  OneCheck check(real, "http: {url: \"" + peer.url("/a") +
                           "\", redirects: follow, body: hello, basic: {username: me, password: '${env:SECRET}'}, " +
                           "headers: {X-Own: \"yes\"}}");
  for (int i = 0; i < 3; ++i) {
    const CheckResult result = check.run();
    EXPECT_EQ(result.outcome, Outcome::held) << result.error.text;
  }
  const auto requests = peer.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_THAT(requests[0], AllOf(StartsWith("POST /a "), HasSubstr("X-Own: yes"), HasSubstr("Authorization: Basic"),
                                 HasSubstr("Content-Type"), HasSubstr("\r\n\r\nhello")));
  EXPECT_EQ(requests[1], requests[0]);
  EXPECT_EQ(requests[2], requests[0]);
  EXPECT_THAT(other.requests().at(2), AllOf(StartsWith("GET /x "), Not(HasSubstr("X-Own")), Not(HasSubstr("Auth"))));
}

TEST(HttpRedirect, KeepsMethodAndBodyWhereTheStatusSaysSo) {
  const Peer peer([](const std::string& request) {
    return request.starts_with("POST /a ") ? redirect(307, "/b") : http_answer(200, "");
  });
  io::Real real;
  EXPECT_EQ(run(real, peer.url("/a"), "redirects: same_host, body: hello").outcome, Outcome::held);
  EXPECT_THAT(peer.requests().at(1), AllOf(StartsWith("POST /b "), HasSubstr("\r\n\r\nhello")));
}

TEST(HttpRedirect, CredentialsStayWithTheirHost) {
  const Peer other([](const auto&) { return http_answer(200, ""); });
  const Peer peer([&](const auto&) { return redirect(302, other.url("/x")); });
  io::Real real;
  const std::string settings =
      "basic: {username: me, password: '${env:SECRET}'}, headers: {X-Api-Key: '${env:SECRET}', Accept: text/plain}";
  EXPECT_EQ(run(real, peer.url(), "redirects: follow, " + settings).outcome, Outcome::held);
  EXPECT_THAT(peer.requests().at(0), HasSubstr("Authorization: Basic"));
  EXPECT_THAT(other.requests().at(0), AllOf(Not(HasSubstr("Authorization")), Not(HasSubstr("hunter2")),
                                            HasSubstr("Accept: text/plain"), HasSubstr("traceparent: ")));
}

TEST(HttpRedirect, AnotherHostNeedsThePolicyThatSaysSo) {
  const Peer peer([](const auto&) { return redirect(301, "http://192.0.2.1/"); });
  io::Real real;
  const CheckResult result = run(real, peer.url(), "redirects: same_host");
  EXPECT_EQ(result.error.code, ErrorCode::redirected);
  EXPECT_THAT(result.error.text, HasSubstr("another host"));
}

TEST(HttpRedirect, EndsSomewhere) {
  const Peer peer([](const auto&) { return redirect(302, "/again"); });
  io::Real real;
  const CheckResult result = run(real, peer.url(), "redirects: follow, max_redirects: 3");
  EXPECT_EQ(result.error.code, ErrorCode::redirected);
  EXPECT_THAT(result.error.text, HasSubstr("3 were followed already"));
  EXPECT_EQ(peer.requests().size(), 4u);
}

TEST(HttpRedirect, NeverLeavesHttp) {
  const Peer peer([](const auto&) { return redirect(302, "file:///etc/passwd"); });
  io::Real real;
  const CheckResult result = run(real, peer.url(), "redirects: follow");
  EXPECT_EQ(result.error.code, ErrorCode::redirected) << result.error.text;
}

}  // namespace
}  // namespace slosonde::checks
