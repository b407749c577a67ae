// The webhook watch on the real loop, with a registry of the test's own: what the web server seldom does.
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <map>

#include "checks/webhook.h"
#include "probe/io/real.h"
#include "tests/unit/checks/streams.h"

namespace slosonde::checks {
namespace {

using std::chrono::milliseconds;

class Registry final : public io::HookRegistry {
 public:
  struct Registration final : io::HookRegistration {
    explicit Registration(Registry& to) : registry(to) {}
    ~Registration() override { registry.handler = nullptr; }
    void ask(std::function<void(const io::HookSight&)> tell) override { registry.answer(std::move(tell)); }
    Registry& registry;
  };

  Result<std::unique_ptr<io::HookRegistration>> listen(std::string path, Authorise rule, Handler to) override {
    if (handler) return fail(ErrorCode::denied, "taken: " + path);
    authorise = std::move(rule);
    handler = std::move(to);
    return std::make_unique<Registration>(*this);
  }
  std::optional<Instant> listening_since() const override { return since; }
  std::string url() const override { return "http://127.0.0.1:9466"; }

  // As the web server does it, but at once.
  void answer(std::function<void(const io::HookSight&)> tell) {
    ++asked;
    if (silent) return;
    const io::HookSight sight{std::max(since.value_or(Instant::max()), broken_at), io->now(), broken};
    io->inbox().post(1, [tell = std::move(tell), sight] { tell(sight); });
  }

  io::Io* io = nullptr;
  Authorise authorise;
  Handler handler;
  std::optional<Instant> since;
  Instant broken_at = Instant::min();
  Error broken;
  bool silent = false;
  int asked = 0;
};

class WebhookWorld : public testing::Test {
 protected:
  WebhookWorld() {
    registry_.io = &io_;
    io_.set_hooks(&registry_);
  }

  static config::Values settings(const std::string& more = "") {
    std::string text = "probe: {name: p, key: \"${env:SECRET}\"}\nlisten: {address: 127.0.0.1:9465}\ntransactions:\n";
    text.append("  - name: t\n    every: 5s\n    stages:\n      - {name: send, within: 2s, kafka: {brokers: \"a:1\", ");
    text.append("topic: t, value: \"{{marker}}\"}}\n      - {name: see, within: 9s, watch: {webhook: {path: /hooks/x");
    text.append(more).append("}}}\n");
    return test::stage_settings(text, "see");
  }

  void start(Watch& watch) {
    boost::asio::co_spawn(
        io_.executor(), watch.watch(sink_),
        boost::asio::bind_cancellation_slot(cancel_.slot(), [this](const std::exception_ptr& thrown, Error error) {
          if (!thrown) ended_ = std::move(error);
        }));
  }

  bool turn_until(const std::function<bool()>& condition) {
    const Instant end = io_.now() + std::chrono::seconds(20);
    while (!condition()) {
      if (io_.now() > end) return false;
      turn();
    }
    return true;
  }
  void turn() {
    boost::asio::co_spawn(io_.executor(), io_.sleep_until(io_.now() + milliseconds(5)),
                          [&](const std::exception_ptr&) { io_.stop(); });
    io_.run();
  }
  void stop() {
    cancel_.emit(boost::asio::cancellation_type::terminal);
    EXPECT_TRUE(turn_until([&] { return ended_.has_value(); }));
    EXPECT_EQ(ended_->code, ErrorCode::cancelled);
  }
  void send(const std::string& body) {
    io::HookRequest request;
    request.path = "/hooks/x";
    request.body = body;
    request.received = io_.now();
    request.not_before = request.received - milliseconds(3);
    // As the web server does it.
    io_.inbox().post(body.size(), [this, request] {
      if (registry_.handler) registry_.handler(request);
    });
  }

  Registry registry_;
  io::Real io_{io::RealOptions{}};
  test::RememberingSink sink_;
  boost::asio::cancellation_signal cancel_;
  std::optional<Error> ended_;
};

TEST_F(WebhookWorld, WithoutAPlaceForHooksItSaysWhatToAdd) {
  io_.set_hooks(nullptr);
  const auto made = make_webhook(settings(), io_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::bad_config);
  EXPECT_EQ(made.error().text, "nothing listens for the webhook /hooks/x; add hooks: {address: \"127.0.0.1:9466\"}");
}

TEST_F(WebhookWorld, ItsPathIsFreeAgainAtItsEnd) {
  auto first = make_webhook(settings(), io_);
  ASSERT_TRUE(first);
  EXPECT_EQ(make_webhook(settings(), io_).error().code, ErrorCode::denied);
  first->reset();
  EXPECT_TRUE(make_webhook(settings(), io_));
}

TEST_F(WebhookWorld, ARuleOfItsOwnOnlyWhereOneIsSet) {
  const auto open = make_webhook(settings(), io_);
  EXPECT_FALSE(registry_.authorise) << "an open path would count as a guarded one";
}

TEST_F(WebhookWorld, WhatArrivesIsHandedOverBeforeItsTimeIsCovered) {
  registry_.since = io_.now();
  const auto watch = make_webhook(settings(), io_);
  ASSERT_TRUE(watch);
  const Instant started = io_.now();
  start(**watch);
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty(); })) << "ready at once";
  EXPECT_GE(sink_.covers[0].first, started);
  send("sonde1-x");
  const Instant sent = io_.now();
  ASSERT_TRUE(turn_until([&] { return sink_.covers.back().second >= sent; }));
  ASSERT_EQ(sink_.seen.size(), 1U);
  EXPECT_EQ(sink_.seen[0].text, "sonde1-x");
  EXPECT_EQ(sink_.seen[0].hi - sink_.seen[0].lo, milliseconds(3)) << "as the listener knows it";
  EXPECT_LE(sink_.seen[0].hi, sent);
  EXPECT_TRUE(sink_.seen[0].may_be_again) << "its sender may have been turned away before";
  for (size_t i = 1; i < sink_.covers.size(); ++i) EXPECT_EQ(sink_.covers[i].first, sink_.covers[i - 1].second);
  stop();
  send("after the end");
  turn();
  EXPECT_EQ(sink_.seen.size(), 1U);
}

TEST_F(WebhookWorld, AListenerThatIsDownIsOurOwnFaultAndThatTimeIsNeverCovered) {
  const auto watch = make_webhook(settings(), io_);
  ASSERT_TRUE(watch);
  start(**watch);
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  EXPECT_TRUE(is_own_fault(sink_.trouble->code));
  EXPECT_EQ(sink_.trouble->text, "webhook /hooks/x: nothing listens on http://127.0.0.1:9466 at the moment");
  EXPECT_TRUE(sink_.covers.empty());
  const Instant up = io_.now();
  registry_.since = up;
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty(); }));
  EXPECT_GE(sink_.covers[0].first, up);
  registry_.since.reset();
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  const Instant down = sink_.covers.back().second;
  registry_.since = io_.now();
  const size_t before = sink_.covers.size();
  ASSERT_TRUE(turn_until([&] { return sink_.covers.size() > before; }));
  EXPECT_GE(sink_.covers.back().first, *registry_.since);
  EXPECT_GT(sink_.covers.back().first, down);
  stop();
}

TEST_F(WebhookWorld, ABreakIsOurOwnFaultAndNothingIsCoveredAcrossIt) {
  registry_.since = io_.now();
  const auto watch = make_webhook(settings(), io_);
  ASSERT_TRUE(watch);
  start(**watch);
  const Instant begun = io_.now();
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty() && sink_.covers.back().second > begun; }));
  const Instant before = sink_.covers.back().second;
  const Instant broken = registry_.broken_at = io_.now();
  registry_.broken = {ErrorCode::no_descriptors, "no descriptor was left"};
  ASSERT_TRUE(turn_until([&] { return !sink_.troubles.empty(); }));
  EXPECT_EQ(sink_.troubles[0].code, ErrorCode::no_descriptors);
  EXPECT_EQ(sink_.troubles[0].text, "webhook /hooks/x: no descriptor was left");
  ASSERT_TRUE(turn_until([&] { return !sink_.trouble; }));
  EXPECT_GE(sink_.covers.back().first, broken);
  EXPECT_GT(sink_.covers.back().first, before);
  EXPECT_EQ(sink_.troubles.size(), 1U);
  stop();
}

// A flood breaks the sight again and again: one report, and not another one at every turn.
TEST_F(WebhookWorld, WhileItIsBrokenAnewItStaysOutOfSight) {
  registry_.since = io_.now();
  const auto watch = make_webhook(settings(), io_);
  ASSERT_TRUE(watch);
  start(**watch);
  registry_.broken = {ErrorCode::busy, "too much"};
  const int first = registry_.asked;
  ASSERT_TRUE(turn_until([&] {
    registry_.broken_at = io_.now();
    return registry_.asked > first + 8;
  }));
  EXPECT_EQ(sink_.troubles.size(), 1U);
  EXPECT_TRUE(sink_.trouble);
  stop();
}

TEST_F(WebhookWorld, AListenerThatDoesNotAnswerProvesNothing) {
  registry_.since = io_.now();
  const auto watch = make_webhook(settings(), io_);
  ASSERT_TRUE(watch);
  start(**watch);
  const Instant begun = io_.now();
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty() && sink_.covers.back().second > begun; }));
  registry_.silent = true;
  const Instant silent = io_.now();
  ASSERT_TRUE(turn_until([&] { return !sink_.troubles.empty(); }));
  EXPECT_EQ(sink_.troubles[0].code, ErrorCode::busy);
  EXPECT_TRUE(sink_.troubles[0].text.starts_with(
      "webhook /hooks/x: the listener on http://127.0.0.1:9466 is held up and has taken nothing in for "))
      << sink_.troubles[0].text;
  EXPECT_LE(sink_.covers.back().second, silent);
  registry_.silent = false;
  ASSERT_TRUE(turn_until([&] { return !sink_.trouble; })) << "it had only been slow: all is covered in the end";
  EXPECT_LE(sink_.covers.back().first, silent);
  stop();
}

}  // namespace
}  // namespace slosonde::checks
