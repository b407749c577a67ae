#include "exporter/web/server.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <fstream>
#include <thread>
#include <vector>

#include "exporter/web/address.h"
#include "tests/unit/exporter/fixture.h"

namespace slosonde::exporter {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class WebServerTest : public ServerTest {};

TEST_F(WebServerTest, ServesEveryView) {
  start();
  EXPECT_EQ(get("/-/healthy").body, "ok\n");
  EXPECT_EQ(get("/-/ready").body, "ready\n");
  const Answer metrics = get("/metrics");
  EXPECT_EQ(metrics.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(metrics.body, HasSubstr("slosonde_slo_burn_rate{slo=\"alert-delivered\",window=\"5m\"} 133.3\n"));
  EXPECT_THAT(metrics.body, HasSubstr("slosonde_hook_requests_total{result=\"accepted\"} 0\n"));
  const Answer page = get("/");
  EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.headers.at("content-security-policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(page.body, HasSubstr("alert-delivered"));
  EXPECT_THAT(get("/?refresh=off").body, Not(HasSubstr("http-equiv")));
  EXPECT_EQ(json::parse(get("/api/v1/status").body).at("hooks").at("url"), json::value("http://" + at()));
  EXPECT_EQ(json::parse(get("/api/v1/slos").body).at("slos").as_array().size(), 2U);
  EXPECT_EQ(json::parse(get("/api/v1/transactions").body).at("transactions").as_array().size(), 2U);
  EXPECT_EQ(json::parse(get("/api/v1/runs?limit=3").body).at("runs").as_array().size(), 3U);
  EXPECT_EQ(json::parse(get("/api/v1/runs/" + sample::marker(716)).body).at("verdict"), "good");
  EXPECT_EQ(get("/api/v1/config").body, options.config_shown + "\n");
}

TEST_F(WebServerTest, AStuckEngineStillAnswersAndIsReported) {
  start();
  set_clock(sample::kNow + 10s);
  EXPECT_EQ(get("/-/healthy").status, 200);
  set_clock(sample::kNow + 37s);
  const Answer healthy = get("/-/healthy");
  EXPECT_EQ(healthy.status, 503);
  EXPECT_THAT(healthy.body, HasSubstr("has not turned for 37.0 s"));
  EXPECT_EQ(get("/-/ready").status, 503);
  const Answer metrics = get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, HasSubstr("slosonde_engine_last_turn_timestamp_seconds 1769851800\n"));
  EXPECT_THAT(metrics.body, HasSubstr("slosonde_runs_total{transaction=\"log-to-alert\",verdict=\"good\"} 699\n"));
  EXPECT_THAT(get("/").body, HasSubstr("engine stuck"));
  EXPECT_EQ(json::parse(get("/api/v1/status").body).at("healthy").as_bool(), false);
}

TEST_F(WebServerTest, BeforeTheFirstSnapshotItSaysSo) {
  show(nullptr);
  start();
  EXPECT_EQ(get("/-/healthy").status, 503);
  EXPECT_EQ(get("/-/ready").status, 503);
  EXPECT_EQ(get("/api/v1/slos").status, 503);
  EXPECT_EQ(get("/").status, 200);
  EXPECT_THAT(get("/metrics").body, HasSubstr("slosonde_build_info{version=\"0.1.0\"} 1\n"));
}

TEST_F(WebServerTest, UnreadyNamesWhatIsMissing) {
  show(sample::fresh_snapshot());
  start();
  EXPECT_EQ(get("/-/healthy").status, 200);
  const Answer ready = get("/-/ready");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.headers.at("content-type"), "application/problem+json");
  EXPECT_THAT(std::string(json::parse(ready.body).at("detail").as_string()), HasSubstr("webhook /hooks/alert"));
}

TEST_F(WebServerTest, PacksMetricsForThoseWhoAsk) {
  start();
  const Answer packed = get("/metrics", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(packed.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(packed.headers.at("vary"), "Accept-Encoding");
  std::string text(1 << 20, '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.body.data()));
  stream.avail_in = static_cast<uInt>(packed.body.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_THAT(text, HasSubstr("slosonde_runs_total{transaction=\"log-to-alert\",verdict=\"good\"} 699\n"));
  EXPECT_FALSE(get("/metrics").headers.contains("content-encoding"));
}

TEST_F(WebServerTest, ErrorsAreProblemsThatHelp) {
  start();
  const Answer missing = get("/api/v1/slo");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.headers.at("content-type"), "application/problem+json");
  const json::value problem = json::parse(missing.body);
  EXPECT_EQ(problem.at("status").as_int64(), 404);
  EXPECT_EQ(problem.at("title"), "Not Found");
  EXPECT_THAT(std::string(problem.at("detail").as_string()), HasSubstr("slos"));
  EXPECT_EQ(get("/nothing/here").status, 404);
  const Answer method = ask(at(), "DELETE", "/metrics");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.at("allow"), "GET, HEAD");
  EXPECT_THAT(ask(at(), "POST", "/api/v1/trigger", "Content-Type: application/json\r\n", "{}").body,
              HasSubstr("admin listener"));
}

TEST_F(WebServerTest, HeadIsGetWithoutTheBody) {
  start();
  const Answer whole = get("/api/v1/slos");
  Client client(at());
  const auto head = client.ask("HEAD", "/api/v1/slos");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->headers.at("content-length"), std::to_string(whole.body.size()));
  // No body came: the next answer on the connection is in its place.
  const auto next = client.ask("GET", "/-/healthy");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->body, "ok\n");
}

TEST_F(WebServerTest, KeepsAConnectionUnlessToldNotTo) {
  start();
  Client client(at());
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask("GET", "/-/healthy");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->headers.at("connection"), "keep-alive");
  }
  const auto last = client.ask("GET", "/-/healthy", "Connection: close\r\n");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->headers.at("connection"), "close");
  EXPECT_TRUE(client.closed());
  Client old(at());
  ASSERT_TRUE(old.send("GET /-/healthy HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(old.receive().value_or(Answer()).body, "ok\n");
  EXPECT_TRUE(old.closed());
}

TEST_F(WebServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  Client client(at());
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    requests += i % 2 == 0 ? "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
                           : "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  ASSERT_TRUE(client.send(requests));
  for (int i = 0; i < 200; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->status, i % 2 == 0 ? 200 : 404) << i;
  }
}

TEST_F(WebServerTest, ARequestMayComeByteByByte) {
  start();
  Client client(at());
  for (const char c : std::string("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.receive().value_or(Answer()).body, "ok\n");
}

TEST_F(WebServerTest, ServesManyAtOnceWhileTheSnapshotChanges) {
  start();
  std::atomic<int> good{0};
  std::atomic<bool> done{false};
  std::thread engine([&] {
    while (!done) {
      show(sample::snapshot());
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&] {
      Client client(at());
      for (const char* path : {"/metrics", "/", "/api/v1/slos", "/api/v1/runs", "/-/ready"}) {
        for (int i = 0; i < 5; ++i) {
          const auto answer = client.ask("GET", path);
          if (answer && answer->status == 200) ++good;
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  done = true;
  engine.join();
  EXPECT_EQ(good, 8 * 5 * 5);
}

TEST_F(WebServerTest, StopCutsWhatIsOpenAndMayComeTwice) {
  start();
  Client idle(at());
  ASSERT_TRUE(idle.ask("GET", "/-/healthy"));
  Client half(at());
  ASSERT_TRUE(half.send("GET /metrics HTT"));
  const std::string address = at();
  server().stop();
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(half.closed());
  EXPECT_FALSE(Client(address).connected());
  server().stop();
}

TEST_F(WebServerTest, MalformedRequestsAreRefusedAndNothingElseSuffers) {
  start();
  Client bystander(at());
  ASSERT_TRUE(bystander.ask("GET", "/-/healthy"));
  for (const char* garbage :
       {"\x16\x03\x01\x02\x01\x01", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n",
        "GET /metrics HTTP/1.1\r\n: x\r\n\r\n", "GET /metrics HTTP/1.1\r\n\r\n",
        "POST /h HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n"}) {
    Client client(at());
    ASSERT_TRUE(client.send(garbage));
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << garbage;
    EXPECT_TRUE(answer->status == 400 || answer->status == 505) << garbage << answer->status;
    EXPECT_TRUE(client.closed()) << garbage;
  }
  EXPECT_TRUE(bystander.ask("GET", "/-/healthy"));
}

// A page of a browser's, from a name that has been made to lead here (DNS rebinding).
TEST_F(WebServerTest, OnLoopbackAPageOfAnotherNameReadsNothing) {
  start();
  const auto status = [&](const std::string& host, const std::string& path = "/api/v1/config") {
    Client client(at());
    client.send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.receive().value_or(Answer());
  };
  const Answer refused = status("evil.example:9465");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.headers.at("content-type"), "application/problem+json");
  EXPECT_THAT(refused.body, HasSubstr("as localhost"));
  for (const char* path : {"/", "/metrics", "/-/healthy", "/api/v1/status", "/nothing"})
    EXPECT_EQ(status("127.0.0.1.evil.example", path).status, 403) << path;
  for (const std::string& host : std::vector<std::string>{at(), "127.0.0.1", "localhost:9465", "[::1]:9465"})
    EXPECT_EQ(status(host).status, 200) << host;
}

TEST_F(WebServerTest, AnUnixSocketAndAListenerOpenToOthersHaveAnyName) {
  options.listen = "0.0.0.0:0";  // as a sidecar has it
  options.admin = "unix:" + socket_path("x.sock");
  start();
  const std::string request = "GET /-/healthy HTTP/1.1\r\nHost: probe.kr-a.example\r\n\r\n";
  for (const std::string& address : {"127.0.0.1" + at().substr(at().rfind(':')), server().admin_address()}) {
    Client client(address);
    ASSERT_TRUE(client.send(request));
    EXPECT_EQ(client.receive().value_or(Answer()).status, 200) << address;
  }
}

TEST_F(WebServerTest, AViewThatThrowsIs500AndTheNextIsServed) {
  std::atomic<bool> broken{false};
  on_view = [&] {
    if (broken.exchange(false)) throw std::bad_alloc();
  };
  start();
  for (const char* path : {"/metrics", "/", "/-/healthy", "/api/v1/slos"}) {
    Client client(at());
    broken = true;
    const Answer bad = client.ask("GET", path).value_or(Answer());
    EXPECT_EQ(bad.status, 500) << path;
    EXPECT_EQ(bad.headers.at("content-type"), "application/problem+json");
    EXPECT_EQ(client.ask("GET", path).value_or(Answer()).status, 200) << path << " on the same connection";
  }
  EXPECT_EQ(metric("slosonde_exceptions_total{thread=\"web\"}"), 4);
  EXPECT_THAT(warnings(), testing::ElementsAre("exception caught: Once, the web thread went on after: std::bad_alloc"));
}

TEST_F(WebServerTest, AnExceptionInTheLoopItselfEndsNothing) {
  start();
  ASSERT_EQ(get("/-/healthy").status, 200);
  break_clock(5);
  // Some of these are cut off.
  EXPECT_TRUE(eventually(
      [&] { return get("/-/healthy").status == 200 && metric("slosonde_exceptions_total{thread=\"web\"}") > 0; }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/-/ready").status, 200);
  server().engine_threw("std::bad_alloc");
  EXPECT_EQ(metric("slosonde_exceptions_total{thread=\"engine\"}"), 1);
}

}  // namespace
}  // namespace slosonde::exporter
