#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <thread>
#include <vector>

#include "exporter/web/server.h"
#include "tests/unit/exporter/fixture.h"

namespace slosonde::exporter {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class HooksTest : public ServerTest {
 protected:
  std::unique_ptr<io::HookRegistration> listen(const std::string& path, io::HookRegistry::Authorise authorise = {}) {
    auto made = server().hooks().listen(path, std::move(authorise), [this](io::HookRequest request) {
      handled_on = std::this_thread::get_id();
      bodies.push_back(request.body);
      last = std::move(request);
    });
    EXPECT_TRUE(made) << made.error().text;
    return made ? std::move(*made) : nullptr;
  }
  Answer post(const std::string& path, const std::string& body, const std::string& headers = "") {
    return ask(server().hooks_address(), "POST", path, headers, body);
  }
  double counted(const std::string& result) {
    return metric("slosonde_hook_requests_total{result=\"" + result + "\"}");
  }

  std::vector<std::string> bodies;
  io::HookRequest last;
  std::thread::id handled_on;
};

TEST_F(HooksTest, AreHandedToTheEngineThreadThroughItsInbox) {
  start();
  const auto registration = listen("/hooks/alert");
  const Answer answer = post("/hooks/alert?x=1", "sonde1-a", "X-Tag: T\r\n");
  EXPECT_EQ(answer.status, 202);
  EXPECT_TRUE(bodies.empty());  // not on the web thread
  EXPECT_EQ(inbox.drain(), 1U);
  EXPECT_THAT(bodies, ElementsAre("sonde1-a"));
  EXPECT_EQ(handled_on, std::this_thread::get_id());
  EXPECT_EQ(last.path, "/hooks/alert");
  EXPECT_EQ(last.received, sample::kNow);
  EXPECT_THAT(last.headers, testing::Contains(testing::Pair("x-tag", "T")));
  EXPECT_EQ(ask(at(), "PUT", "/hooks/alert", "", "second").status, 202);
  EXPECT_EQ(counted("accepted"), 2);
}

TEST_F(HooksTest, BinaryBodiesArriveAsTheyAre) {
  start();
  const auto registration = listen("/h");
  std::string body = "\xff\xfe";
  body += '\0';
  body += "\r\n\r\n";
  EXPECT_EQ(post("/h", body).status, 202);
  inbox.drain();
  EXPECT_THAT(bodies, ElementsAre(body));
}

TEST_F(HooksTest, AnUnknownPathSaysWhichThereAre) {
  start();
  const auto registration = listen("/hooks/alert");
  const Answer answer = post("/hooks/alrt", "x");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("/hooks/alert"));
  EXPECT_EQ(counted("unknown_path"), 1);
}

TEST_F(HooksTest, AFullInboxIs503AndCounted) {
  start();
  const auto registration = listen("/hooks/alert");
  const std::string body(400'000, 'x');
  EXPECT_EQ(post("/hooks/alert", body).status, 202);
  EXPECT_EQ(post("/hooks/alert", body).status, 202);
  const Answer full = post("/hooks/alert", body);
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(full.headers.at("retry-after"), "1");
  EXPECT_EQ(counted("overflow"), 1);
  EXPECT_EQ(metric("slosonde_inbox_dropped_total"), 1);
  EXPECT_EQ(inbox.drain(), 2U);
  EXPECT_EQ(post("/hooks/alert", body).status, 202);
}

TEST_F(HooksTest, WithATokenStrangersAreRefusedBeforeTheirBody) {
  options.hook_token = Secret("tok");
  start();
  const auto registration = listen("/hooks/alert");
  EXPECT_EQ(post("/hooks/alert", "x", "Authorization: Bearer tok\r\n").status, 202);
  const Answer wrong = post("/hooks/alert", "x", "Authorization: Bearer tak\r\n");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_THAT(wrong.headers.at("www-authenticate"), HasSubstr("Bearer"));
  EXPECT_THAT(wrong.body, Not(HasSubstr("tok\"")));
  EXPECT_EQ(post("/nothing", "x").status, 401);  // strangers do not learn the paths
  Client patient(server().hooks_address());
  ASSERT_TRUE(patient.send("POST /hooks/alert HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n"));
  EXPECT_EQ(patient.receive().value_or(Answer()).status, 401);
  EXPECT_EQ(counted("unauthorised"), 3);
  EXPECT_EQ(inbox.drain(), 1U);
}

TEST_F(HooksTest, ASignatureOrATokenSufficesWhereBothAreSet) {
  options.hook_token = Secret("tok");
  options.hook_hmac_key = Secret("Jefe");
  start();
  const auto registration = listen("/hooks/alert");
  const std::string signature =
      "X-Hub-Signature-256: sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\r\n";
  EXPECT_EQ(post("/hooks/alert", "what do ya want for nothing?", signature).status, 202);
  EXPECT_EQ(post("/hooks/alert", "what do ya want for something?", signature).status, 401);
  EXPECT_EQ(post("/hooks/alert", "x", "Authorization: Bearer tok\r\n").status, 202);
  EXPECT_EQ(post("/hooks/alert", "x").status, 401);
  EXPECT_EQ(inbox.drain(), 2U);
}

TEST_F(HooksTest, AWatchsOwnRuleIsAskedBesides) {
  start();
  const auto registration = listen("/h", [](const io::HookRequest& request) -> Result<void> {
    if (request.body == "open sesame") return {};
    return fail(ErrorCode::unauthorised, "the body must be the password");
  });
  EXPECT_EQ(post("/h", "open sesame").status, 202);
  const Answer refused = post("/h", "open barley");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr("the body must be the password"));
  EXPECT_EQ(counted("unauthorised"), 1);
}

TEST_F(HooksTest, AfterItsWatchHasGoneAPathIsUnknownAndWhatWaitsIsDropped) {
  start();
  auto registration = listen("/hooks/alert");
  EXPECT_EQ(post("/hooks/alert", "late").status, 202);
  registration.reset();
  EXPECT_EQ(inbox.drain(), 1U);
  EXPECT_TRUE(bodies.empty());
  EXPECT_EQ(post("/hooks/alert", "x").status, 404);
}

TEST_F(HooksTest, PathsAreTakenOnceAndNotFromTheProbeItself) {
  start();
  const auto registration = listen("/hooks/alert");
  const auto error = [&](const std::string& path) {
    const auto made = server().hooks().listen(path, {}, [](io::HookRequest) {});
    return made ? Error() : made.error();
  };
  EXPECT_EQ(error("/hooks/alert").code, ErrorCode::denied);
  EXPECT_THAT(error("/metrics").text, HasSubstr("the probe's own"));
  EXPECT_THAT(error("/api/v1/x").text, HasSubstr("the probe's own"));
  EXPECT_THAT(error("hooks").text, HasSubstr("must begin with /"));
  EXPECT_THAT(error("/a b").text, HasSubstr("no blank"));
}

// A new configuration asks for the path while the watch before still has it.
TEST_F(HooksTest, APathGoesOverToTheNextConfigurationsWatchWithoutABreak) {
  start();
  std::vector<std::string> taken;
  const auto watch = [&](const std::string& by) {
    return server().hooks().listen("/h", {}, [&taken, by](io::HookRequest hook) { taken.push_back(by + hook.body); });
  };
  auto first = watch("first ");
  ASSERT_TRUE(first);
  server().begin_anew();
  auto refused = watch("refused ");
  ASSERT_TRUE(refused);
  EXPECT_EQ(watch("third ").error().code, ErrorCode::denied) << "once each";
  refused->reset();  // that configuration was not to be
  EXPECT_EQ(post("/h", "1").status, 202);
  server().begin_anew();
  auto second = watch("second ");
  ASSERT_TRUE(second);
  EXPECT_EQ(post("/h", "2").status, 202);
  (*second)->ask([](const io::HookSight&) {});
  EXPECT_EQ(post("/h", "3").status, 202);
  first->reset();
  EXPECT_EQ(post("/h", "4").status, 202);
  inbox.drain();
  EXPECT_THAT(taken, testing::ElementsAre("second 3", "second 4")) << "what the first has not taken ended with it";
  second->reset();
  EXPECT_EQ(post("/h", "5").status, 404);
}

TEST_F(HooksTest, AListenerOfTheirOwnServesNothingElse) {
  options.hooks = "127.0.0.1:0";
  start();
  const auto registration = listen("/metrics");  // free there
  EXPECT_NE(server().hooks_address(), at());
  EXPECT_EQ(server().hooks().url(), "http://" + server().hooks_address());
  EXPECT_EQ(post("/metrics", "x").status, 202);
  EXPECT_EQ(ask(server().hooks_address(), "GET", "/metrics").status, 405);
  EXPECT_EQ(ask(at(), "POST", "/hooks/alert", "", "x").status, 404);
}

TEST_F(HooksTest, AreNotServedOnAListenerThatIsOpenToOthers) {
  options.listen = "0.0.0.0:0";
  start();
  EXPECT_EQ(server().hooks_address(), "");
  EXPECT_EQ(server().hooks().listening_since(), std::nullopt);
  const auto made = server().hooks().listen("/h", {}, [](io::HookRequest) {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::bad_config);
  EXPECT_THAT(made.error().text, HasSubstr("hooks: {address"));
}

TEST_F(HooksTest, OpenToOthersTheyNeedProof) {
  options.hooks = "0.0.0.0:0";
  start();
  const auto bare = server().hooks().listen("/h", {}, [](io::HookRequest) {});
  ASSERT_FALSE(bare);
  EXPECT_THAT(bare.error().text, HasSubstr("hooks.token_file"));
  const auto guarded = server().hooks().listen(
      "/h", [](const io::HookRequest&) { return Result<void>(); }, [](io::HookRequest) {});
  EXPECT_TRUE(guarded);
}

TEST_F(HooksTest, ListeningSinceHoldsFromStartToStop) {
  start();
  EXPECT_EQ(server().hooks().listening_since(), sample::kNow);
  EXPECT_EQ(server().hooks().url(), "http://" + at());
  server().stop();
  EXPECT_EQ(server().hooks().listening_since(), std::nullopt);
}

TEST_F(HooksTest, ComeInFromManySendersWhileTheEngineDrains) {
  start();
  const auto registration = listen("/h");
  std::vector<std::thread> senders;
  for (int s = 0; s < 8; ++s) {
    senders.emplace_back([&] {
      Client client(server().hooks_address());
      for (int i = 0; i < 50; ++i) client.ask("POST", "/h", "", "x");
    });
  }
  EXPECT_TRUE(eventually([&] {
    inbox.drain();
    return bodies.size() == 400;
  }));
  for (std::thread& sender : senders) sender.join();
}

TEST_F(HooksTest, ComeUnderAnyName) {
  start();
  const auto registration = listen("/h");
  Client client(server().hooks_address());
  ASSERT_TRUE(client.send("POST /h HTTP/1.1\r\nHost: probe.example\r\nContent-Length: 1\r\n\r\nx"));
  EXPECT_EQ(client.receive().value_or(Answer()).status, 202);
}

TEST_F(HooksTest, RefusedCallsAreToldOncePerMinuteAndShownAtTheirWatch) {
  options.hook_token = Secret("tok-canary");
  start();
  const auto registration = listen("/hooks/alert");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(post("/hooks/alert", "x", "Authorization: Bearer tak\r\n").status, 401);
  EXPECT_THAT(warnings(),
              ElementsAre(HasSubstr("webhook refused: Once, a call of /hooks/alert was answered with 401: Hooks "
                                    "need a bearer token")));
  set_clock(sample::kNow + std::chrono::seconds(61));
  EXPECT_EQ(post("/hooks/alert", "x").status, 401);
  ASSERT_EQ(warnings().size(), 2U);
  EXPECT_THAT(warnings()[1], HasSubstr("3 times since the last such line"));
  EXPECT_EQ(post("/elsewhere", "x").status, 401);
  EXPECT_THAT(warnings()[2], HasSubstr("Once, a call was answered with 401"));

  const auto calls = server().refused_calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].path, "") << "no watch's";
  EXPECT_EQ(calls[1].path, "/hooks/alert");
  EXPECT_EQ(calls[1].count, 4U);
  const auto watches = json::parse(get("/api/v1/status").body).at("watches").as_array();
  EXPECT_EQ(watches[1].at("name"), "webhook /hooks/alert");
  EXPECT_EQ(watches[1].at("refused").at("count"), 4);
  EXPECT_THAT(std::string(watches[1].at("refused").at("why").as_string()), HasSubstr("missing or wrong"));
  EXPECT_TRUE(watches[0].at("refused").is_null());
  for (const std::string& line : warnings()) EXPECT_THAT(line, Not(HasSubstr("canary")));
}

TEST_F(HooksTest, ARuleThatThrowsIs500) {
  start();
  const auto registration = listen("/h", [](const io::HookRequest&) -> Result<void> { throw std::bad_alloc(); });
  EXPECT_EQ(post("/h", "x").status, 500);
  EXPECT_EQ(metric("slosonde_hook_sight_breaks_total{reason=\"exception\"}"), 1);
  EXPECT_EQ(inbox.drain(), 0U);
}

}  // namespace
}  // namespace slosonde::exporter
