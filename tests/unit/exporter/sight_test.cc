// What webhook watches may conclude from silence, with the real web server, its thread held up or short of room.
#include <gmock/gmock.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "checks/webhook.h"
#include "exporter/web/attention.h"
#include "exporter/web/server.h"
#include "exporter/web/way_in.h"
#include "probe/io/real.h"
#include "tests/unit/checks/streams.h"
#include "tests/unit/exporter/client.h"
#include "tests/unit/exporter/sample.h"

namespace slosonde::exporter {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Where the web thread can be held up.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    inside_ = shut_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !shut_; });
    inside_ = false;
  }
  void shut() {
    const std::lock_guard lock(mutex_);
    shut_ = true;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    shut_ = false;
    changed_.notify_all();
  }
  bool wait_for_somebody() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return inside_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool shut_ = false, inside_ = false;
};

struct Cover {
  Instant from, to;
  size_t seen;  // evidence handed over before
};

class Sink final : public checks::WatchSink {
 public:
  void evidence(const checks::Evidence& evidence) override { seen.push_back({evidence.seen_lo, evidence.seen_hi}); }
  void covered(Instant from, Instant to) override { covers.push_back({from, to, seen.size()}); }
  void out_of_sight(const Error& error) override { troubles.push_back(error); }

  struct Span {
    Instant lo, hi;
  };
  std::vector<Span> seen;
  std::vector<Cover> covers;
  std::vector<Error> troubles;
};

// A webhook watch for /hooks/x on a web server; the test's thread is the engine's.
class SightTest : public testing::Test {
 public:
  SightTest() { options_.listen = "127.0.0.1:0"; }
  ~SightTest() override {
    gate_.open();
    cancel_.emit(boost::asio::cancellation_type::terminal);
    for (int i = 0; i < 100 && watching_; ++i) world_.poll();
    watch_.reset();
  }

 protected:
  void start() {
    server_ = std::make_unique<WebServer>(options_, WebSources{world_.inbox(),
                                                               [this] { return world_.now(); },
                                                               [this] {
                                                                 gate_.pass();
                                                                 return sample::snapshot();
                                                               },
                                                               {},
                                                               {},
                                                               {}});
    world_.set_hooks(&server_->hooks());
    const std::string text =
        "probe: {name: p, key: \"${env:SECRET}\"}\nlisten: {address: 127.0.0.1:9465}\ntransactions:\n"
        "  - name: t\n    every: 5s\n    stages:\n      - {name: send, within: 2s, kafka: {brokers: \"a:1\", topic: t, "
        "value: \"{{marker}}\"}}\n      - {name: see, within: 9s, watch: {webhook: {path: /hooks/x}}}\n";
    auto made = checks::make_webhook(checks::test::stage_settings(text, "see"), world_);
    ASSERT_TRUE(made) << made.error().text;
    watch_ = std::move(*made);
    const auto listening = server_->start();
    ASSERT_TRUE(listening) << listening.error().text;
    watching_ = true;
    boost::asio::co_spawn(world_.executor(), watch_->watch(sink_),
                          boost::asio::bind_cancellation_slot(
                              cancel_.slot(), [this](const std::exception_ptr&, const Error&) { watching_ = false; }));
    ASSERT_TRUE(turn_until([&] { return covered_to() > world_.now() - 1s && sink_.covers.size() > 1; }));
  }

  bool turn_until(const std::function<bool()>& condition) {
    const Instant end = world_.now() + 20s;
    while (!condition()) {
      if (world_.now() > end) return false;
      boost::asio::co_spawn(world_.executor(), world_.sleep_until(world_.now() + 2ms),
                            [&](const std::exception_ptr&) { world_.stop(); });
      world_.run();
    }
    return true;
  }
  // The engine turns for a while, in which its watch asks more than once.
  void turn_for(Duration duration) {
    const Instant end = world_.now() + duration;
    ASSERT_TRUE(turn_until([&] { return world_.now() > end; }));
  }
  bool turn_until_covered(Instant t) {
    return turn_until([&] { return covered_to() >= t; });
  }

  Instant covered_to() const { return sink_.covers.empty() ? Instant::min() : sink_.covers.back().to; }
  // Whether silence from `from` to `to` would prove something.
  bool is_covered(Instant from, Instant to) const {
    Instant begin = Instant::max();
    for (auto at = sink_.covers.rbegin(); at != sink_.covers.rend(); ++at) {
      if (at->to < to && begin == Instant::max()) return false;
      if (begin != Instant::max() && at->to != begin) break;
      begin = at->from;
      if (begin <= from) return true;
    }
    return false;
  }

  std::string at() const { return server_->hooks_address(); }
  std::string post(const std::string& body, const std::string& path = "/hooks/x") const {
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  double breaks(const std::string& reason) {
    const std::string text = ask(at(), "GET", "/metrics").body;
    const std::string series = "slosonde_hook_sight_breaks_total{reason=\"" + reason + "\"} ";
    const size_t found = text.find(series);
    return found == std::string::npos ? -1 : std::stod(text.substr(found + series.size()));
  }
  // A thing that costs us a call happens between these two; afterwards the sight comes back, without that instant.
  void expect_break(const std::string& reason, const std::function<void()>& happens) {
    const Instant before = world_.now();
    happens();
    const Instant after = world_.now();
    EXPECT_GE(breaks(reason), 1) << reason;
    ASSERT_TRUE(turn_until_covered(after)) << "it comes back";
    EXPECT_FALSE(is_covered(before, after));
    ASSERT_FALSE(sink_.troubles.empty());
    EXPECT_TRUE(is_own_fault(sink_.troubles[0].code));
    EXPECT_THAT(sink_.troubles[0].text, HasSubstr("webhook /hooks/x: "));
    const Instant later = world_.now();
    ASSERT_TRUE(turn_until_covered(later));
    EXPECT_TRUE(is_covered(covered_to() - 1ms, covered_to()));
  }

  WebOptions options_;
  Gate gate_;
  io::Real world_{io::RealOptions{}};
  std::unique_ptr<WebServer> server_;
  std::unique_ptr<checks::Watch> watch_;
  Sink sink_;
  boost::asio::cancellation_signal cancel_;
  bool watching_ = false;
};

TEST_F(SightTest, WhatAStuckWebThreadHasNotReadIsNotCovered) {
  start();
  gate_.shut();
  Client scraper(at()), sender(at());
  ASSERT_TRUE(scraper.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  ASSERT_TRUE(gate_.wait_for_somebody());
  const Instant before = world_.now();
  ASSERT_TRUE(sender.send(post("sonde1-x")));
  const Instant sent = world_.now();
  turn_for(900ms);
  EXPECT_LT(covered_to(), sent) << "the kernel has it, the web thread does not";
  gate_.open();
  ASSERT_TRUE(turn_until_covered(sent));
  for (const Cover& cover : sink_.covers) {
    EXPECT_TRUE(cover.to < sent || cover.seen == 1) << "handed over first";
  }
  ASSERT_EQ(sink_.seen.size(), 1U);
  EXPECT_LE(sink_.seen[0].lo, before) << "it may have lain there for as long as nobody looked";
  EXPECT_GE(sink_.seen[0].hi, sent);
  EXPECT_TRUE(sink_.troubles.empty()) << sink_.troubles[0].text;
}

TEST_F(SightTest, WhatIsReadAtOnceIsKnownToTheInstant) {
  start();
  Client sender(at());
  for (size_t n = 1; n <= 5; ++n) {
    ASSERT_TRUE(sender.send(post("x")));
    ASSERT_TRUE(sender.receive());
    ASSERT_TRUE(turn_until([&] { return sink_.seen.size() == n; }));
    EXPECT_LT(sink_.seen.back().hi - sink_.seen.back().lo, kNap);
  }
}

TEST_F(SightTest, ALongStandstillIsABreak) {
  start();
  gate_.shut();
  Client scraper(at());
  ASSERT_TRUE(scraper.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  ASSERT_TRUE(gate_.wait_for_somebody());
  const Instant stuck = world_.now();
  ASSERT_TRUE(turn_until([&] { return world_.now() > stuck + kNap + kStill + 100ms && !sink_.troubles.empty(); }));
  EXPECT_THAT(sink_.troubles[0].text, HasSubstr("is held up and has taken nothing in for "));
  EXPECT_EQ(sink_.troubles[0].code, ErrorCode::busy);
  EXPECT_LT(covered_to(), stuck + 1ms);
  const Instant freed = world_.now();
  gate_.open();
  ASSERT_TRUE(turn_until_covered(freed));
  EXPECT_FALSE(is_covered(stuck, freed)) << "senders may have given up";
  EXPECT_EQ(breaks("stood_still"), 1);
}

TEST_F(SightTest, BodiesThatAreTooLargeTogetherAreOurOwnBlindness) {
  options_.limits.bodies_bytes = 5000;
  start();
  Client slow(at());
  ASSERT_TRUE(
      slow.send("POST /hooks/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4001\r\n\r\n" + std::string(4000, 'x')));
  expect_break("bodies", [&] {
    // Until the slow one's bytes are in, the other fits.
    ASSERT_TRUE(turn_until([&] { return ask(at(), "POST", "/hooks/x", "", std::string(3000, 'x')).status == 503; }));
  });
  ASSERT_FALSE(sink_.troubles.empty());
  EXPECT_THAT(sink_.troubles[0].text, HasSubstr("too large together"));
}

TEST_F(SightTest, ConnectionsCutForWantOfRoomAreOurOwnBlindness) {
  options_.limits.connections = 4;
  start();
  std::vector<Client> slow;
  expect_break("connections", [&] {
    for (int i = 0; i < 6; ++i) {
      slow.emplace_back(at());
      ASSERT_TRUE(slow.back().send("POST /hooks/x HTTP/1.1\r\nHo"));
    }
    EXPECT_TRUE(slow.front().closed());
  });
}

TEST_F(SightTest, IdleConnectionsMakeRoomWithoutABreak) {
  options_.limits.connections = 4;
  start();
  std::vector<Client> idle;
  for (int i = 0; i < 8; ++i) {
    idle.emplace_back(at());
    ASSERT_TRUE(idle.back().ask("GET", "/-/healthy"));
  }
  EXPECT_TRUE(idle.front().closed());
  EXPECT_EQ(breaks("connections"), 0);
}

TEST_F(SightTest, AFullInboxIsOurOwnBlindness) {
  start();
  expect_break("inbox", [&] {
    const std::string large(4'000'000, 'x');
    int status = 202;
    for (int i = 0; i < 10 && status == 202; ++i) status = ask(at(), "POST", "/hooks/x", "", large).status;
    EXPECT_EQ(status, 503) << "the engine does not turn meanwhile";
  });
  ASSERT_FALSE(sink_.troubles.empty());
  EXPECT_THAT(sink_.troubles[0].text, HasSubstr("told to come again"));
}

TEST_F(SightTest, WhatSendersDoWrongIsNoBreak) {
  options_.limits.hook_body_bytes = 1000;
  options_.limits.request = 50ms;
  start();
  const Instant before = covered_to();
  EXPECT_EQ(ask(at(), "POST", "/hooks/x", "", std::string(1001, 'x')).status, 413);
  EXPECT_EQ(ask(at(), "POST", "/hooks/y", "", "x").status, 404);
  Client slow(at());
  ASSERT_TRUE(slow.send("POST /hooks/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_EQ(slow.receive().value_or(Answer()).status, 408);
  Client odd(at());
  ASSERT_TRUE(odd.send("POST /hooks/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"));
  EXPECT_EQ(odd.receive().value_or(Answer()).status, 400);
  Client gone(at());
  ASSERT_TRUE(gone.send("POST /hooks/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"));
  const Instant after = world_.now();
  ASSERT_TRUE(turn_until_covered(after));
  EXPECT_TRUE(is_covered(before, after));
  EXPECT_TRUE(sink_.troubles.empty());
  for (const char* reason : {"no_descriptors", "connections", "bodies", "inbox", "stood_still", "way_in", "exception"})
    EXPECT_EQ(breaks(reason), 0) << reason;
}

TEST_F(SightTest, AServerThatStopsIsOutOfSight) {
  start();
  server_->stop();
  const Instant stopped = world_.now();
  ASSERT_TRUE(turn_until([&] { return !sink_.troubles.empty(); }));
  EXPECT_THAT(sink_.troubles[0].text, HasSubstr("nothing listens"));
  EXPECT_LE(covered_to(), stopped);
}

// The way in from outside is watched; what comes over it is posted by the tests.
class WayInTest : public SightTest {
 public:
  WayInTest() { options_.external_url = "http://outside.example"; }

 protected:
  // The status of the answer to a nonce that gets through.
  int arrives() {
    const std::string nonce = "n" + std::to_string(++nonces_);
    server_->way_in()->expect(nonce);
    const int status = ask(at(), "POST", "/-/hook-sight", "", nonce).status;
    EXPECT_EQ(server_->way_in()->ended("it got lost"), WayIn::State::works);
    return status;
  }
  WayIn::State gets_lost() {
    server_->way_in()->expect("n" + std::to_string(++nonces_));
    return server_->way_in()->ended("POST http://outside.example/-/hook-sight: nobody took it");
  }

  int nonces_ = 0;
};

TEST_F(WayInTest, NothingIsCoveredAfterTheLastArrival) {
  start();
  ASSERT_EQ(arrives(), 202);
  const Instant arrived = world_.now();
  turn_for(900ms);
  EXPECT_LT(covered_to(), arrived);
  EXPECT_TRUE(sink_.troubles.empty()) << "it is only not known yet";
  ASSERT_EQ(arrives(), 202);
  ASSERT_TRUE(turn_until_covered(arrived));
  EXPECT_TRUE(is_covered(arrived, covered_to())) << "without a gap";
  EXPECT_EQ(breaks("way_in"), 0);
}

TEST_F(WayInTest, WhatLiesBetweenALossAndTheNextArrivalIsNotCovered) {
  start();
  ASSERT_EQ(arrives(), 202);
  const Instant before = world_.now();
  EXPECT_EQ(gets_lost(), WayIn::State::broken);
  ASSERT_EQ(arrives(), 202);
  const Instant after = world_.now();
  turn_for(1100ms);
  ASSERT_EQ(arrives(), 202);
  ASSERT_TRUE(turn_until_covered(after));
  EXPECT_FALSE(is_covered(before, after)) << "a sender's call may have been lost as well";
  EXPECT_TRUE(is_covered(after, covered_to()));
  EXPECT_EQ(breaks("way_in"), 1);
}

TEST_F(WayInTest, ABrokenWayInIsOurOwnBlindnessUntilSomethingArrives) {
  start();
  ASSERT_EQ(arrives(), 202);
  const Instant last = world_.now();
  gets_lost();
  gets_lost();
  ASSERT_TRUE(turn_until([&] { return !sink_.troubles.empty(); }));
  EXPECT_TRUE(is_own_fault(sink_.troubles[0].code));
  EXPECT_EQ(
      sink_.troubles[0].text,
      "webhook /hooks/x: the way in from outside is broken: POST http://outside.example/-/hook-sight: nobody took "
      "it");
  EXPECT_THAT(ask(at(), "GET", "/api/v1/status").body, HasSubstr("Webhooks are out of our sight since "));
  turn_for(900ms);
  EXPECT_LE(covered_to(), last);
  ASSERT_EQ(arrives(), 202);
  const Instant back = world_.now();
  EXPECT_THAT(ask(at(), "GET", "/api/v1/status").body, Not(HasSubstr("out of our sight")));
  turn_for(1100ms);
  ASSERT_EQ(arrives(), 202);
  ASSERT_TRUE(turn_until_covered(back));
  EXPECT_FALSE(is_covered(last, back));
  EXPECT_EQ(breaks("way_in"), 1) << "one break, of two losses";
}

TEST_F(WayInTest, AWayInThatHasNeverWorkedExcusesNothingAndIsToldOnce) {
  std::vector<std::string> lines;
  options_.warn = [&](std::string_view what, std::string text) { lines.push_back(std::string(what) + ": " + text); };
  start();
  const Instant before = covered_to();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(gets_lost(), WayIn::State::never_worked);
  const Instant after = world_.now();
  ASSERT_TRUE(turn_until_covered(after));
  EXPECT_TRUE(is_covered(before, after));
  EXPECT_TRUE(sink_.troubles.empty());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("way in does not work: POST http://outside.example/-/hook-sight: nobody took it"));
  EXPECT_THAT(ask(at(), "GET", "/api/v1/status").body, HasSubstr("has never worked"));
  ASSERT_EQ(arrives(), 202);
  const Instant begins = world_.now();
  ASSERT_EQ(arrives(), 202);
  turn_for(300ms);
  EXPECT_TRUE(is_covered(before, covered_to())) << "nothing was broken that had worked";
  EXPECT_LT(covered_to(), begins + 300ms);
  EXPECT_EQ(breaks("way_in"), 0);
}

TEST_F(WayInTest, WhatIsNotTheNonceIsNoArrival) {
  options_.hook_token = Secret("right");
  start();
  server_->way_in()->expect("n1");
  const std::string right = "Authorization: Bearer right\r\n";
  EXPECT_EQ(ask(at(), "POST", "/-/hook-sight", right, "n2").status, 404) << "another process's";
  EXPECT_EQ(ask(at(), "POST", "/-/hook-sight", right, "").status, 404);
  EXPECT_EQ(ask(at(), "POST", "/-/hook-sight", "", "n1").status, 401) << "without the proof";
  EXPECT_EQ(ask(at(), "POST", "/-/hook-sight", right, std::string(257, 'n')).status, 413);
  EXPECT_EQ(server_->way_in()->ended("lost"), WayIn::State::never_worked);
  EXPECT_EQ(ask(at(), "POST", "/-/hook-sight", right, "n1").status, 404) << "too late";
  server_->way_in()->expect("n3");
  EXPECT_EQ(ask(at(), "POST", "/-/hook-sight", right, "n3").status, 202);
  EXPECT_EQ(server_->way_in()->ended("lost"), WayIn::State::works);
  EXPECT_THAT(ask(at(), "GET", "/metrics").body, HasSubstr("slosonde_hook_requests_total{result=\"accepted\"} 0"));
}

TEST_F(WayInTest, ItsPathIsNoWatchs) {
  options_.hooks = "127.0.0.1:0";  // where the views' paths are free
  start();
  const auto taken = server_->hooks().listen("/-/hook-sight", {}, [](const io::HookRequest&) {});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::bad_config);
}

TEST_F(SightTest, WithoutAnExternalUrlThereIsNoWayIn) {
  start();
  EXPECT_EQ(server_->way_in(), nullptr);
  EXPECT_EQ(ask(at(), "POST", "/-/hook-sight", "", "n1").status, 404);
  EXPECT_THAT(ask(at(), "GET", "/metrics").body, HasSubstr("slosonde_hook_requests_total{result=\"unknown_path\"} 1"));
}

}  // namespace
}  // namespace slosonde::exporter
