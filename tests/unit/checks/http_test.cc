#include "checks/http.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

#include "tests/unit/checks/peer.h"
#include "tests/unit/checks/probe_run.h"
#include "tests/unit/io/turning.h"

namespace slosonde::checks {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

std::string http(const std::string& url, const std::string& more = "") {
  return "http: {url: \"" + url + "\"" + (more.empty() ? "" : ", " + more) + "}";
}

TEST(Http, HoldsWithItsPhases) {
  const Peer peer([](const auto&) { return http_answer(200, "fine"); });
  io::Real real;
  OneCheck check(real, http(peer.url("/health")));
  const CheckResult result = check.run();
  EXPECT_EQ(result.outcome, Outcome::held) << result.error.text;
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.delivery, Delivery::none);
  for (const Phase phase : {Phase::connect, Phase::send, Phase::wait, Phase::receive})
    EXPECT_TRUE(result.phases[static_cast<size_t>(phase)]) << name(phase);
  for (const Phase phase : {Phase::resolve, Phase::tls})
    EXPECT_FALSE(result.phases[static_cast<size_t>(phase)]) << name(phase);
  EXPECT_GE(result.sent, check.context.due);
  EXPECT_GE(result.received, result.sent);
  ASSERT_EQ(peer.requests().size(), 1u);
  EXPECT_THAT(peer.requests()[0],
              AllOf(StartsWith("GET /health HTTP/1.1\r\n"), HasSubstr("\r\ntraceparent: 00-0af7651916cd"),
                    HasSubstr("\r\ntracestate: slosonde=synthetic\r\n")));
}

TEST(Http, SendsWhatItIsTold) {
  const Peer peer([](const auto&) { return http_answer(202, ""); });
  io::Real real;
  OneCheck check(
      real, http(peer.url("/v1/{{captured.id}}?a=1"),
                 "json: {message: 'failed {{marker}}', n: 3}, headers: {X-Run: '{{transaction}}/{{captured.id}}'}, "
                 "query: {q: 'a b&c'}, basic: {username: me, password: '${env:SECRET}'}"));
  const Captures captures = {{"id", "7/8\r\nEvil: yes"}};
  check.context.captures = &captures;
  const CheckResult result = check.run();
  EXPECT_EQ(result.outcome, Outcome::held) << result.error.text;
  EXPECT_EQ(result.delivery, Delivery::acked);
  const std::string request = peer.requests().at(0);
  EXPECT_THAT(request, StartsWith("POST /v1/7%2F8%0D%0AEvil%3A%20yes?a=1&q=a%20b%26c HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nX-Run: t/7/8  Evil: yes\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nAuthorization: Basic bWU6aHVudGVyMg==\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("\r\nEvil:")));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n{\"message\":\"failed sonde1-marker\",\"n\":3}"));
}

TEST(Http, OtherMethodsAndBodies) {
  const Peer peer([](const auto&) { return http_answer(200, ""); });
  io::Real real;
  EXPECT_EQ(
      OneCheck(real, http(peer.url(), "method: PUT, body: 'x {{marker}}', bearer: '${env:SECRET}'")).run().outcome,
      Outcome::held);
  EXPECT_EQ(OneCheck(real, http(peer.url(), "method: DELETE")).run().outcome, Outcome::held);
  EXPECT_EQ(OneCheck(real, http(peer.url(), "method: HEAD")).run().outcome, Outcome::held);
  const auto requests = peer.requests();
  EXPECT_THAT(requests.at(0), AllOf(StartsWith("PUT / "), HasSubstr("\r\nContent-Type: text/plain; charset=utf-8\r\n"),
                                    HasSubstr("\r\nAuthorization: Bearer hunter2\r\n"), HasSubstr("x sonde1-marker")));
  EXPECT_THAT(requests.at(1), StartsWith("DELETE / "));
  EXPECT_THAT(requests.at(2), StartsWith("HEAD / "));
}

TEST(Http, EachCheckHasAFreshConnectionUnlessToldOtherwise) {
  const Peer peer([](const auto&) { return http_answer(200, "ok"); });
  io::Real real;
  OneCheck fresh(real, http(peer.url()));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fresh.run().outcome, Outcome::held);
  EXPECT_EQ(peer.connections(), 3);
  OneCheck reused(real, http(peer.url(), "reuse: true"));
  for (int i = 0; i < 3; ++i) {
    const CheckResult result = reused.run();
    EXPECT_EQ(result.outcome, Outcome::held);
    EXPECT_EQ(result.phases[static_cast<size_t>(Phase::connect)].has_value(), i == 0);
  }
  EXPECT_EQ(peer.connections(), 4);
}

struct Refusal {
  int status;
  bool polling;
  Outcome outcome;
  ErrorCode code;
};

class HttpStatus : public testing::TestWithParam<Refusal> {};

TEST_P(HttpStatus, IsTakenForWhatItMeans) {
  const Refusal& wanted = GetParam();
  const Peer peer([&](const auto&) { return http_answer(wanted.status, "because\x01"); });
  io::Real real;
  OneCheck check(real, http(peer.url("/p?token=hunter2")));
  check.context.polling = wanted.polling;
  const CheckResult result = check.run();
  EXPECT_EQ(result.outcome, wanted.outcome);
  EXPECT_EQ(result.error.code, wanted.code);
  EXPECT_EQ(result.error.text, "GET " + peer.url("/p?…") + ": status " + std::to_string(wanted.status) +
                                   ", expected 200-299; the body says \"because.\"");
  EXPECT_EQ(result.evidence, wanted.polling ? "because\x01" : "");
}

INSTANTIATE_TEST_SUITE_P(Statuses, HttpStatus,
                         testing::Values(Refusal{404, false, Outcome::refused, ErrorCode::wrong_status},
                                         Refusal{503, false, Outcome::refused, ErrorCode::wrong_status},
                                         Refusal{401, false, Outcome::refused, ErrorCode::unauthorised},
                                         Refusal{404, true, Outcome::not_yet, ErrorCode::wrong_status},
                                         Refusal{503, true, Outcome::refused, ErrorCode::wrong_status},
                                         Refusal{429, true, Outcome::refused, ErrorCode::wrong_status},
                                         Refusal{403, true, Outcome::refused, ErrorCode::unauthorised}));

TEST(Http, APollReturnsTheBodyAsEvidence) {
  const std::string large(5000, 'x');
  const Peer peer([&](const auto&) { return http_answer(200, large); });
  io::Real real;
  OneCheck check(real, http(peer.url()));
  check.context.polling = true;
  const CheckResult result = check.run();
  EXPECT_EQ(result.outcome, Outcome::held);
  EXPECT_EQ(result.evidence, large);
}

TEST(Http, ExpectationsAndCaptures) {
  const Peer peer([](const auto&) {
    return http_answer(200, R"({"id": "i-7", "items": [{"n": 1}, {"n": 5}], "state": "open"})",
                       "X-Kind: incident; v=2\r\n");
  });
  io::Real real;
  const auto run = [&](const std::string& more) { return OneCheck(real, http(peer.url(), more)).run(); };
  const CheckResult held = run(
      "expect: {status: [200, 300-302], header: {x-kind: 'incident; v=2'}, header_regex: {X-Kind: 'v=\\d'}, "
      "body: {contains: [open], not_contains: closed, regex: 'i-\\d', json: [{path: '$.items[*].n', greater_than: 4}, "
      "{path: $.state, equals: open}, {path: $.gone, exists: false}]}}, capture: {id: $.id, first: '$.items[0].n'}");
  EXPECT_EQ(held.outcome, Outcome::held) << held.error.text;
  EXPECT_EQ(held.captures, (Captures{{"first", "1"}, {"id", "i-7"}}));

  const std::vector<std::tuple<std::string, ErrorCode, std::string>> wrong = {
      {"expect: {status: 201}", ErrorCode::wrong_status, "status 200, expected 201"},
      {"expect: {header: {X-Kind: other}}", ErrorCode::wrong_header,
       "header X-Kind is not \"other\": it says \"incident; v=2\""},
      {"expect: {header_regex: {X-None: a}}", ErrorCode::wrong_header,
       "header X-None does not match \"a\": there is none"},
      {"expect: {body: {contains: closed}}", ErrorCode::wrong_body, "\"closed\" is not in the body"},
      {"expect: {body: {not_contains: open}}", ErrorCode::wrong_body, "\"open\" is in the body, and must not be"},
      {"expect: {body: {regex: 'i-[89]'}}", ErrorCode::wrong_body, "nothing in the body matches \"i-[89]\""},
      {"expect: {body: {json: [{path: $.state, equals: closed}]}}", ErrorCode::wrong_body,
       "$.state is \"\"open\"\", expected \"\"closed\"\""},
      {"expect: {body: {json: [{path: '$.items[0].n', less_than: 1}]}}", ErrorCode::wrong_body,
       "$.items[0].n is \"1\", expected a number less than"},
      {"capture: {id: $.nowhere}", ErrorCode::wrong_body, "nothing to capture as id: there is no $.nowhere"},
  };
  for (const auto& [more, code, text] : wrong) {
    const CheckResult result = run(more);
    EXPECT_EQ(result.outcome, code == ErrorCode::wrong_status ? Outcome::wrong : Outcome::wrong) << more;
    EXPECT_EQ(result.error.code, code) << more;
    EXPECT_THAT(result.error.text, HasSubstr(text)) << more;
    EXPECT_TRUE(result.captures.empty()) << more;
  }
}

TEST(Http, ABodyThatIsNoJsonSaysSo) {
  const Peer peer([](const auto&) { return http_answer(200, "<html>"); });
  io::Real real;
  const CheckResult result = OneCheck(real, http(peer.url(), "capture: {id: $.id}")).run();
  EXPECT_EQ(result.error.code, ErrorCode::wrong_body);
  EXPECT_THAT(result.error.text, HasSubstr("the body is no JSON"));
}

TEST(Http, TooLargeABodyIsBrokenOff) {
  const Peer peer([](const auto&) { return http_answer(200, std::string(300'000, 'x')); });
  io::Real real;
  const CheckResult result = OneCheck(real, http(peer.url(), "max_body: 64KiB")).run();
  EXPECT_EQ(result.outcome, Outcome::wrong);
  EXPECT_EQ(result.error.code, ErrorCode::too_large);
  EXPECT_THAT(result.error.text, HasSubstr("max_body, 65536 bytes"));
}

TEST(Http, TransportErrorsHaveTheirReasons) {
  io::Real real;
  std::string closed;
  {
    const Peer gone([](const auto&) { return ""; });
    closed = gone.url();
  }
  const CheckResult refused = OneCheck(real, http(closed)).run();
  EXPECT_EQ(refused.outcome, Outcome::unreachable);
  EXPECT_EQ(refused.error.code, ErrorCode::connect_refused) << refused.error.text;

  const Peer silent([](const auto&) { return ""; });
  const CheckResult timeout = OneCheck(real, http(silent.url(), "method: POST")).run(60ms);
  EXPECT_EQ(timeout.outcome, Outcome::timed_out);
  EXPECT_EQ(timeout.error.code, ErrorCode::timeout) << timeout.error.text;
  EXPECT_EQ(timeout.delivery, Delivery::unknown);
  EXPECT_THAT(timeout.error.text, HasSubstr("no answer came before the deadline"));

  const Peer rude([](const auto&) { return "close"; });
  const CheckResult lost = OneCheck(real, http(rude.url())).run();
  EXPECT_EQ(lost.error.code, ErrorCode::connection_lost) << lost.error.text;

  const Peer cut([](const auto&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"; });
  const CheckResult half = OneCheck(real, http(cut.url())).run(60ms);
  EXPECT_EQ(half.error.code, ErrorCode::timeout);
  EXPECT_THAT(half.error.text, HasSubstr("4 bytes of its body had come"));

  const Peer other([](const auto&) { return "SSH-2.0-OpenSSH\r\n\r\n"; });
  const CheckResult malformed = OneCheck(real, http(other.url())).run();
  EXPECT_EQ(malformed.error.code, ErrorCode::malformed) << malformed.error.text;
  EXPECT_EQ(malformed.outcome, Outcome::wrong);
}

TEST(Http, OutOfDescriptorsIsOurOwnFault) {
  const Peer peer([](const auto&) { return http_answer(200, "ok"); });
  io::Real real;
  OneCheck check(real, http(peer.url()));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const CheckResult starved = check.run();
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(starved.outcome, Outcome::probe_fault);
  EXPECT_EQ(starved.error.code, ErrorCode::no_descriptors) << starved.error.text;
  EXPECT_EQ(check.run().outcome, Outcome::held);
}

TEST(Http, NamesAreResolvedByUsAlone) {
  const Peer peer([](const auto&) { return http_answer(200, "ok"); });
  io::Real real;
  OneCheck check(real, http("http://localhost:" + std::to_string(peer.port()) + "/", "ip: ipv4"));
  const CheckResult result = check.run();
  EXPECT_EQ(result.outcome, Outcome::held) << result.error.text;
  EXPECT_TRUE(result.phases[static_cast<size_t>(Phase::resolve)]);
  EXPECT_THAT(peer.requests().at(0), HasSubstr("\r\nHost: localhost:" + std::to_string(peer.port()) + "\r\n"));
  const CheckResult none = OneCheck(real, http(peer.url(), "ip: ipv6")).run();
  EXPECT_EQ(none.error.code, ErrorCode::resolve_failed);
  EXPECT_EQ(none.outcome, Outcome::unreachable);
}

TEST(Http, GoesThroughAProxy) {
  const Peer proxy([](const auto&) { return http_answer(200, "from the proxy"); });
  io::Real real;
  const CheckResult result = OneCheck(real, http("http://no.such.host.invalid/x",
                                                 "proxy: '" + proxy.url() + "', expect: {body: {contains: proxy}}"))
                                 .run();
  EXPECT_EQ(result.outcome, Outcome::held) << result.error.text;
  EXPECT_THAT(proxy.requests().at(0), StartsWith("GET http://no.such.host.invalid/x HTTP/1.1\r\n"));
}

TEST(Http, ManyAtOnceOverOneDriver) {
  const Peer peer([](const auto&) { return http_answer(200, "ok"); });
  const Peer silent([](const auto&) { return ""; });
  io::Real real;
  OneCheck good(real, http(peer.url())), hanging(real, http(silent.url()));
  // Cancelled in the middle, again and again: the next one is not disturbed.
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(hanging.run(5ms).outcome, Outcome::timed_out);
    EXPECT_EQ(good.run().outcome, Outcome::held);
  }
}

}  // namespace
}  // namespace slosonde::checks
