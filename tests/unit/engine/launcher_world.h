// A world for the launcher's and the service's tests: real coroutines on a clock that only moves when nothing is left
// to do, and checks and watches that do as the test says.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checks/check.h"
#include "checks/watch.h"
#include "probe/engine/service.h"
#include "probe/io/io.h"

namespace slosonde::engine {

class TestIo final : public io::Io {
 public:
  TestIo() = default;
  explicit TestIo(Instant begins) : now_(begins) {}

  Instant now() const override { return now_; }
  Duration wall_offset() const override { return wall_offset_; }
  Duration processor_wait() const override { return processor_wait_; }
  uint64_t random() override { return random_ += 0x9e3779b97f4a7c15; }
  boost::asio::any_io_executor executor() override { return context_.get_executor(); }
  io::Inbox& inbox() override { return inbox_; }
  io::HookRegistry* hooks() override { return nullptr; }

  io::Awaitable<void> sleep_until(Instant when) override {
    boost::asio::steady_timer timer(context_, boost::asio::steady_timer::time_point::max());
    boost::system::error_code error;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
    const auto place = sleepers_.emplace(when, &timer);
    if (when > now_) co_await timer.async_wait(token);
    sleepers_.erase(place);
  }

  // The launcher and the service use none of these.
  io::Awaitable<Result<std::vector<io::Address>>> resolve(std::string, io::IpFamily, Instant) override { std::abort(); }
  io::Awaitable<Result<std::unique_ptr<io::Stream>>> connect(io::Address, uint16_t, const io::TlsSettings*,
                                                             Instant) override {
    std::abort();
  }
  io::Awaitable<Result<void>> readable(int, Instant) override { std::abort(); }
  io::Awaitable<Result<void>> blocking(std::function<void()>, Instant) override { std::abort(); }

  // Everything that can happen now.
  void settle() {
    do {
      context_.restart();
      context_.poll();
    } while (inbox_.drain() > 0);
  }

  // Moves on from one sleeper's instant to the next, up to `end`. Whoever is late already is woken before anything else
  // is served, as by a loop that was stuck.
  void run_until(Instant end) {
    for (;;) {
      for (auto it = sleepers_.begin(); it != sleepers_.end() && it->first <= now_; ++it) it->second->cancel();
      settle();
      if (settled_) settled_();
      if (sleepers_.empty() || sleepers_.begin()->first > end) break;
      now_ = std::max(now_, sleepers_.begin()->first);
    }
    now_ = std::max(now_, end);
  }
  void run_for(Duration span) { run_until(now_ + span); }
  // At each instant on the way, once nothing is left to do at it.
  void when_settled(std::function<void()> look) { settled_ = std::move(look); }

  // The loop is stuck meanwhile: time passes, nothing is done.
  void stall(Duration span) { now_ += span; }
  void keep_from_processor(Duration time) { processor_wait_ += time; }
  void step_wall_clock(Duration by) { wall_offset_ += by; }

 private:
  boost::asio::io_context context_{1};
  io::Inbox inbox_;
  Instant now_ = instant_from_unix_ns(1'700'000'000'000'000'000);
  Duration wall_offset_{}, processor_wait_{};
  uint64_t random_ = 1;
  std::multimap<Instant, boost::asio::steady_timer*> sleepers_;
  std::function<void()> settled_;
};

// Does what the test says; counts what was asked of it.
class TestCheck final : public checks::Check {
 public:
  using Act = std::function<io::Awaitable<checks::CheckResult>(checks::RunContext&)>;
  explicit TestCheck(Act act) : act_(std::move(act)) {}
  io::Awaitable<checks::CheckResult> run(checks::RunContext& context) override {
    ++started;
    return act_(context);
  }
  int started = 0;

 private:
  Act act_;
};

class TestWatch final : public checks::Watch {
 public:
  using Act = std::function<io::Awaitable<Error>(checks::WatchSink&)>;
  explicit TestWatch(Act act) : act_(std::move(act)) {}
  io::Awaitable<Error> watch(checks::WatchSink& sink) override {
    ++started;
    return act_(sink);
  }
  int started = 0;

 private:
  Act act_;
};

inline checks::CheckResult held() {
  checks::CheckResult result;
  result.outcome = checks::Outcome::held;
  return result;
}

// Holds after `span`, or comes back cancelled.
inline TestCheck::Act holds_after(io::Io& io, Duration span) {
  return [&io, span](checks::RunContext&) -> io::Awaitable<checks::CheckResult> {
    const Instant until = io.now() + span;
    co_await io.sleep_until(until);
    checks::CheckResult result = held();
    if (io.now() < until) {
      result.outcome = checks::Outcome::probe_fault;
      result.error = Error{ErrorCode::cancelled, "cancelled"};
    }
    co_return result;
  };
}

// Does not even end when it is cancelled, until it is `over`: looks once a second.
inline TestCheck::Act never_ends(io::Io& io, const bool& over) {
  return [&io, &over](checks::RunContext&) -> io::Awaitable<checks::CheckResult> {
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    while (!over) {
      const Instant then = io.now() + std::chrono::seconds(1);
      co_await io.sleep_until(then);
    }
    co_return held();
  };
}

// One transaction, "t", of one stage, "s", that is done by `check`.
inline Equipment equipment_of(std::shared_ptr<checks::Check> check, Duration within = std::chrono::seconds(2)) {
  Plan plan;
  plan.probe = "test";
  plan.zone = "a";
  plan.key = Secret("0123456789abcdef0123456789abcdef");
  plan.settle = std::chrono::seconds(5);
  plan.max_lateness = std::chrono::seconds(1);
  TransactionPlan transaction;
  transaction.name = "t";
  transaction.every = std::chrono::seconds(5);
  transaction.max_in_flight = 4;
  StagePlan stage;
  stage.name = "s";
  stage.within = within;
  transaction.stages.push_back(stage);
  plan.transactions.push_back(transaction);
  Equipment equipment;
  equipment.plan = std::make_shared<const Plan>(std::move(plan));
  equipment.checks = {{std::move(check)}};
  equipment.finally = {{}};
  return equipment;
}

}  // namespace slosonde::engine
