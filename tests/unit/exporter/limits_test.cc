#include <gmock/gmock.h>

#include <vector>

#include "exporter/web/server.h"
#include "tests/unit/exporter/fixture.h"

namespace slosonde::exporter {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class LimitsTest : public ServerTest {
 protected:
  std::unique_ptr<io::HookRegistration> hook(const std::string& path) {
    auto made = server().hooks().listen(path, {}, [](io::HookRequest) {});
    EXPECT_TRUE(made) << made.error().text;
    return made ? std::move(*made) : nullptr;
  }
};

TEST_F(LimitsTest, HeadersAreBounded) {
  options.limits.header_bytes = 1024;
  start();
  EXPECT_EQ(get("/-/healthy", "X: " + std::string(700, 'a') + "\r\n").status, 200);
  const Answer many = get("/-/healthy", "X: " + std::string(2000, 'a') + "\r\n");
  EXPECT_EQ(many.status, 431);
  EXPECT_THAT(many.body, HasSubstr("1024 bytes"));
  EXPECT_EQ(get("/" + std::string(2000, 'a')).status, 431);
  Client endless(at());
  ASSERT_TRUE(endless.send(std::string(5000, 'a')));
  EXPECT_NE(endless.receive().value_or(Answer()).status, 200);
  EXPECT_TRUE(endless.closed());
}

TEST_F(LimitsTest, BodiesAreBoundedByWhatIsAskedFor) {
  options.limits.body_bytes = 100;
  options.limits.hook_body_bytes = 1000;
  start();
  const auto registration = hook("/hooks/a");
  EXPECT_EQ(ask(at(), "POST", "/hooks/a", "", std::string(1000, 'x')).status, 202);
  EXPECT_EQ(ask(at(), "POST", "/hooks/a", "", std::string(1001, 'x')).status, 413);
  EXPECT_EQ(ask(at(), "GET", "/metrics", "", std::string(100, 'x')).status, 200);
  EXPECT_EQ(ask(at(), "GET", "/metrics", "", std::string(101, 'x')).status, 413);
  Client chunked(at());
  ASSERT_TRUE(chunked.send("POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"));
  for (int i = 0; i < 3; ++i) chunked.send("190\r\n" + std::string(400, 'x') + "\r\n");
  EXPECT_EQ(chunked.receive().value_or(Answer()).status, 413);
  EXPECT_EQ(metric("slosonde_hook_requests_total{result=\"too_large\"}"), 2);
}

TEST_F(LimitsTest, AHundredMegabytesAreRefusedAndTheClientLearnsWhy) {
  start();
  const auto registration = hook("/hooks/a");
  Client client(at());
  ASSERT_TRUE(client.send("POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\n"));
  const std::string part(1 << 20, 'x');
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.send(part)) << i;
  EXPECT_EQ(client.receive().value_or(Answer()).status, 413);
}

TEST_F(LimitsTest, BodiesTogetherAreBounded) {
  options.limits.bodies_bytes = 5000;
  start();
  const auto registration = hook("/hooks/a");
  Client slow(at());
  ASSERT_TRUE(
      slow.send("POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4001\r\n\r\n" + std::string(4000, 'x')));
  // Until the slow one's bytes are in, the other fits.
  EXPECT_TRUE(eventually([&] { return ask(at(), "POST", "/hooks/a", "", std::string(3000, 'x')).status == 503; }));
  ASSERT_TRUE(slow.send("x"));
  EXPECT_EQ(slow.receive().value_or(Answer()).status, 202);
  EXPECT_EQ(ask(at(), "POST", "/hooks/a", "", std::string(3000, 'x')).status, 202);
  EXPECT_GE(metric("slosonde_hook_requests_total{result=\"overflow\"}"), 1);
}

TEST_F(LimitsTest, ChunkExtensionsDoNotGrowWithoutEnd) {
  options.limits.header_bytes = 1024;
  start();
  const auto registration = hook("/hooks/a");
  Client client(at());
  ASSERT_TRUE(client.send("POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;"));
  client.send(std::string(200'000, 'e'));
  const int status = client.receive().value_or(Answer()).status;
  EXPECT_TRUE(status == 431 || status == 400) << status;
}

TEST_F(LimitsTest, ASlowHeaderIsCutOffWith408) {
  options.limits.request = 50ms;
  start();
  Client client(at());
  ASSERT_TRUE(client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-"));
  EXPECT_EQ(client.receive().value_or(Answer()).status, 408);
  EXPECT_TRUE(client.closed());
}

TEST_F(LimitsTest, EachByteBuysNoMoreTime) {
  options.limits.request = options.limits.linger = 100ms;
  start();
  Client client(at());
  ASSERT_TRUE(client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n"));
  // One more byte of header every moment, for as long as the server listens.
  EXPECT_TRUE(eventually([&] { return !client.send("X: y\r\n"); }));
}

TEST_F(LimitsTest, ASlowBodyIsCutOffAndCounted) {
  options.limits.request = 50ms;
  start();
  const auto registration = hook("/hooks/a");
  Client client(at());
  ASSERT_TRUE(client.send("POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_EQ(client.receive().value_or(Answer()).status, 408);
  EXPECT_EQ(metric("slosonde_hook_requests_total{result=\"timeout\"}"), 1);
}

TEST_F(LimitsTest, SilentConnectionsAreClosed) {
  options.limits.request = 50ms;
  options.limits.idle = 50ms;
  start();
  Client never(at());
  EXPECT_TRUE(never.closed());
  Client once(at());
  ASSERT_TRUE(once.ask("GET", "/-/healthy"));
  EXPECT_TRUE(once.closed());
}

TEST_F(LimitsTest, AClientThatReadsNothingIsCutOff) {
  options.limits.response = 100ms;
  start();
  Client client(at());
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.send(requests);  // some 40 MB of answers: more than the kernel's buffers take
  EXPECT_TRUE(eventually([&] { return !client.send("G"); }));
  EXPECT_EQ(get("/-/healthy").status, 200);
}

TEST_F(LimitsTest, ManySlowClientsDoNotShutOutTheNext) {
  options.limits.connections = 20;
  start();
  std::vector<Client> slow;
  for (int i = 0; i < 60; ++i) {
    slow.emplace_back(at());
    ASSERT_TRUE(slow.back().send("POST /hooks/a HTTP/1.1\r\nHo"));
    if (i % 10 == 0) {
      EXPECT_EQ(get("/metrics").status, 200) << i;
    }
  }
  EXPECT_EQ(get("/metrics").status, 200);
  EXPECT_TRUE(slow.front().closed());  // the one that has kept us waiting longest went first
}

TEST_F(LimitsTest, ThoseWhoAskBeforeTheySendAreAnswered) {
  start();
  const auto registration = hook("/hooks/a");
  Client client(at());
  ASSERT_TRUE(
      client.send("POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.receive().value_or(Answer()).status, 100);
  ASSERT_TRUE(client.send("abc"));
  EXPECT_EQ(client.receive().value_or(Answer()).status, 202);
  Client refused(at());
  ASSERT_TRUE(
      refused.send("POST /hooks/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(refused.receive().value_or(Answer()).status, 404);
}

}  // namespace
}  // namespace slosonde::exporter
