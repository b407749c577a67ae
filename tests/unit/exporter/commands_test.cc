#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <mutex>
#include <thread>

#include "exporter/web/server.h"
#include "tests/unit/exporter/fixture.h"

namespace slosonde::exporter {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kJson = "Content-Type: application/json\r\n";

// Not inlined: g++ 12 otherwise warns of bounds it has imagined.
[[gnu::noinline]] std::string json_and(const char* more) {
  std::string headers = kJson;
  headers.append(more);
  return headers;
}

class CommandsTest : public ServerTest {
 protected:
  CommandsTest() {
    options.admin = "127.0.0.1:0";
    trigger = [this](const std::string& transaction, std::function<void(Result<std::string>)> started) {
      asked = transaction;
      // As the engine does: from a thread of its own, a moment later.
      engine = std::thread([this, started = std::move(started)] { started(answer); });
    };
  }
  ~CommandsTest() override {
    if (engine.joinable()) engine.join();
  }
  Answer run(const std::string& body, const std::string& headers = kJson) {
    if (engine.joinable()) engine.join();
    return ask(server().admin_address(), "POST", "/api/v1/trigger", headers, body);
  }

  Result<std::string> answer = std::string("sonde1-a-b-c-d");
  std::string asked;
  std::thread engine;
};

TEST_F(CommandsTest, TriggerAnswersWithTheRun) {
  start();
  const Answer started = run(R"({"transaction": "log-to-alert"})");
  EXPECT_EQ(started.status, 202);
  EXPECT_EQ(asked, "log-to-alert");
  EXPECT_EQ(json::parse(started.body).at("run"), "sonde1-a-b-c-d");
  EXPECT_EQ(json::parse(started.body).at("url"), "/api/v1/runs/sonde1-a-b-c-d");
}

TEST_F(CommandsTest, ReloadAnswersOnceItIsDoneWithWhatChanged) {
  ReloadOutcome outcome;
  reload = [&](std::function<void(ReloadOutcome)> done) {
    if (engine.joinable()) engine.join();
    engine = std::thread([done = std::move(done), outcome] { done(outcome); });
  };
  start();
  const auto post = [&](const std::string& headers = "") {
    return ask(server().admin_address(), "POST", "/-/reload", headers, "");
  };
  outcome.lines = {"transaction console added", "slo up changed: window 7d -> 30d"};
  const Answer done = post();
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(json::parse(done.body).at("changes").as_array().size(), 2U);

  outcome.error = {ErrorCode::bad_config, "slosonde.yaml: 2 mistakes"};
  outcome.lines = {"slosonde.yaml:1:1: a", "slosonde.yaml:2:1: b"};
  const Answer refused = post();
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(json::parse(refused.body).at("mistakes").as_array().at(1), "slosonde.yaml:2:1: b");
  EXPECT_EQ(json::parse(refused.body).at("detail"), "slosonde.yaml: 2 mistakes");

  outcome = {{ErrorCode::busy, "another reload is under way"}, {}};
  EXPECT_EQ(post().status, 409);
  outcome = {{ErrorCode::timeout, "not read"}, {}};
  EXPECT_EQ(post().status, 503);
}

TEST_F(CommandsTest, AReloadIsNotTakenFromPagesOfOtherSites) {
  int asked_for = 0;
  reload = [&](const std::function<void(ReloadOutcome)>& done) {
    ++asked_for;
    done({});
  };
  start();
  const auto status = [&](const std::string& headers) {
    return ask(server().admin_address(), "POST", "/-/reload", headers, "").status;
  };
  EXPECT_EQ(status("Origin: http://evil.example\r\n"), 403);
  EXPECT_EQ(status("Sec-Fetch-Site: cross-site\r\nOrigin: http://evil.example\r\n"), 403);
  EXPECT_EQ(asked_for, 0);
  EXPECT_EQ(status("Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost\r\n"), 200);
  EXPECT_EQ(ask(at(), "POST", "/-/reload", "", "").status, 404) << "on the admin listener alone";
}

TEST_F(CommandsTest, AReloadThatTakesTooLongIsAnsweredAllTheSame) {
  options.limits.reload = 50ms;
  std::function<void(ReloadOutcome)> later;
  reload = [&](std::function<void(ReloadOutcome)> done) { later = std::move(done); };
  start();
  EXPECT_EQ(ask(server().admin_address(), "POST", "/-/reload", "", "").status, 503);
  later({});
}

TEST_F(CommandsTest, WhyNotIsToldInTheFittingStatus) {
  start();
  answer = fail(ErrorCode::bad_config, "there is no transaction x; there are: a, b");
  const Answer unknown = run(R"({"transaction": "x"})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("there are: a, b"));
  answer = fail(ErrorCode::busy, "13 runs are in flight already");
  EXPECT_EQ(run(R"({"transaction": "x"})").status, 503);
}

TEST_F(CommandsTest, BadBodiesSayWhatIsWanted) {
  start();
  for (const char* body : {"{", "[]", "{}", R"({"transaction": 1})", R"({"transaction": "a", "when": "now"})",
                           R"({"transaction": [[[[[[[[1]]]]]]]]})"}) {
    const Answer refused = run(body);
    EXPECT_EQ(refused.status, 400) << body;
    EXPECT_THAT(std::string(json::parse(refused.body).at("detail").as_string()), HasSubstr("{\"transaction\":"))
        << body;
  }
  EXPECT_EQ(asked, "");
}

TEST_F(CommandsTest, PagesOfOtherSitesCannotCommand) {
  start();
  const std::string body = R"({"transaction": "log-to-alert"})";
  EXPECT_EQ(run(body, "Content-Type: text/plain\r\n").status, 415);
  EXPECT_EQ(run(body, "").status, 415);
  EXPECT_EQ(run(body, json_and("Sec-Fetch-Site: cross-site\r\n")).status, 403);
  Client rebound(server().admin_address());
  ASSERT_TRUE(rebound.send("GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
  EXPECT_EQ(rebound.receive().value_or(Answer()).status, 403);
  EXPECT_EQ(asked, "");
}

TEST_F(CommandsTest, TheAdminListenerHasTheViewsToo) {
  start();
  EXPECT_EQ(ask(server().admin_address(), "GET", "/api/v1/slos").status, 200);
  EXPECT_EQ(ask(server().admin_address(), "GET", "/api/v1/trigger").status, 405);
  EXPECT_EQ(ask(server().admin_address(), "POST", "/hooks/alert", "", "x").status, 404);
}

TEST_F(CommandsTest, ATokenIsDemandedForEverything) {
  options.admin_token = Secret("adm1n");
  start();
  const std::string body = R"({"transaction": "log-to-alert"})";
  const Answer refused = run(body);
  EXPECT_EQ(refused.status, 401);
  EXPECT_TRUE(refused.headers.contains("www-authenticate"));
  EXPECT_EQ(run(body, json_and("Authorization: Bearer admin\r\n")).status, 401);
  EXPECT_EQ(ask(server().admin_address(), "GET", "/api/v1/config").status, 401);
  EXPECT_EQ(asked, "");
  EXPECT_EQ(run(body, json_and("Authorization: Bearer adm1n\r\n")).status, 202);
}

TEST_F(CommandsTest, WorkOverAUnixSocket) {
  options.admin = "unix:" + socket_path("admin.sock");
  start();
  EXPECT_EQ(run(R"({"transaction": "log-to-alert"})").status, 202);
}

TEST_F(CommandsTest, AnEngineThatDoesNotAnswerIs503AndALateAnswerHarmsNobody) {
  options.limits.trigger = 50ms;
  std::mutex mutex;
  std::function<void(Result<std::string>)> kept;
  trigger = [&](const std::string&, std::function<void(Result<std::string>)> started) {
    const std::lock_guard lock(mutex);
    kept = std::move(started);
  };
  start();
  const Answer late = run(R"({"transaction": "log-to-alert"})");
  EXPECT_EQ(late.status, 503);
  EXPECT_THAT(late.body, HasSubstr("/-/healthy"));
  {
    const std::lock_guard lock(mutex);
    kept(std::string("sonde1-late"));
  }
  EXPECT_EQ(get("/-/healthy").status, 200);
  server().stop();
  const std::lock_guard lock(mutex);
  kept(std::string("sonde1-later-still"));
}

TEST_F(CommandsTest, StoppingDoesNotWaitForACommandUnderWay) {
  options.limits.trigger = 1h;
  std::atomic<bool> taken{false};
  trigger = [&](const std::string&, const std::function<void(Result<std::string>)>&) { taken = true; };
  start();
  Client client(server().admin_address());
  ASSERT_TRUE(client.send("POST /api/v1/trigger HTTP/1.1\r\nHost: localhost\r\nContent-Length: 19\r\n"));
  ASSERT_TRUE(client.send(json_and("\r\n{\"transaction\":\"a\"}")));
  ASSERT_TRUE(eventually([&] { return taken.load(); }));
  server().stop();
  EXPECT_TRUE(client.closed());
}

TEST_F(CommandsTest, DeclareAndSuspendNeverForAPageOfAnotherSite) {
  std::atomic<int> taken{0};
  command = [&](const engine::Command&, const std::function<void(Result<void>)>& done) {
    ++taken;
    done({});
  };
  start();
  const std::string& admin = server().admin_address();
  const std::string body = R"({"name": "x", "for": "1h"})";
  const std::string other_site = "Sec-Fetch-Site: cross-site\r\n";
  EXPECT_EQ(ask(admin, "POST", "/api/v1/exclusions", "", body).status, 415);
  EXPECT_EQ(ask(admin, "POST", "/api/v1/exclusions", json_and(other_site.c_str()), body).status, 403);
  EXPECT_EQ(ask(admin, "DELETE", "/api/v1/exclusions/x", other_site).status, 403);
  EXPECT_EQ(ask(admin, "POST", "/-/suspend", other_site).status, 403);
  EXPECT_EQ(ask(admin, "POST", "/-/suspend", "Origin: http://other.example\r\n").status, 403);
  EXPECT_EQ(ask(admin, "GET", "/-/suspend").status, 405);
  EXPECT_EQ(ask(admin, "POST", "/api/v1/exclusions/x", json_and(""), body).status, 405);
  EXPECT_EQ(ask(admin, "PUT", "/api/v1/exclusions", json_and(""), body).status, 405);
  EXPECT_EQ(taken, 0);
  EXPECT_EQ(ask(admin, "POST", "/api/v1/exclusions", json_and(""), body).status, 201);
  EXPECT_EQ(ask(admin, "DELETE", "/api/v1/exclusions/x").status, 200);
  EXPECT_EQ(ask(admin, "POST", "/-/resume?transaction=log-to-alert").status, 200);
  EXPECT_EQ(taken, 3);
  EXPECT_EQ(ask(admin, "GET", "/api/v1/exclusions").status, 200) << "reading is no command";
  EXPECT_EQ(get("/api/v1/exclusions").status, 200);
  EXPECT_EQ(ask(at(), "POST", "/api/v1/exclusions", json_and(""), body).status, 404);
  EXPECT_EQ(ask(at(), "DELETE", "/api/v1/exclusions/x").status, 404);
}

TEST_F(CommandsTest, SayWhatTheEngineRefuses) {
  Error error;
  command = [&](const engine::Command&, const std::function<void(Result<void>)>& done) { done(fail(error)); };
  start();
  for (const auto& [code, status] : {std::pair(ErrorCode::malformed, 400), std::pair(ErrorCode::bad_config, 404),
                                     std::pair(ErrorCode::rejected, 409), std::pair(ErrorCode::busy, 503)}) {
    error = {code, "so it is"};
    const Answer answer = ask(server().admin_address(), "DELETE", "/api/v1/exclusions/x");
    EXPECT_EQ(answer.status, status);
    EXPECT_THAT(answer.body, HasSubstr("so it is"));
  }
}

}  // namespace
}  // namespace slosonde::exporter
