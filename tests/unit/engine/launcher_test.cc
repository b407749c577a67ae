#include "probe/engine/launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include "tests/unit/engine/launcher_world.h"

namespace slosonde::engine {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class LauncherTest : public testing::Test {
 protected:
  Launcher::Feed feed() {
    return [this](Input input) { done.push_back(std::move(std::get<CheckDone>(input))); };
  }
  StartCheck order(uint64_t seq = 0) const {
    StartCheck start;
    start.run = {0, seq};
    start.due = io.now();
    start.deadline = io.now() + seconds(2);
    start.marker = "sonde1-marker";
    start.traceparent = "00-trace";
    start.payload = "payload";
    start.captures["id"] = "7";
    return start;
  }

  TestIo io;
  std::vector<CheckDone> done;
};

TEST_F(LauncherTest, TellsACheckAllItMayKnowOfItsRunAndFeedsItsResult) {
  checks::RunContext* seen = nullptr;
  auto check = std::make_shared<TestCheck>([&](checks::RunContext& context) -> io::Awaitable<checks::CheckResult> {
    seen = &context;
    const Instant then = io.now() + seconds(1);
    co_await io.sleep_until(then);
    EXPECT_EQ(context.transaction, "t");
    EXPECT_EQ(context.stage, "s");
    EXPECT_EQ(context.probe, "test");
    EXPECT_EQ(context.zone, "a");
    EXPECT_EQ(context.marker, "sonde1-marker");
    EXPECT_EQ(context.traceparent, "00-trace");
    EXPECT_EQ(context.payload, "payload");
    EXPECT_EQ(context.seq, 42U);
    EXPECT_EQ(context.captures->at("id"), "7");
    EXPECT_EQ(context.deadline - context.due, seconds(2));
    checks::CheckResult result = held();
    result.captures["next"] = "8";
    co_return result;
  });
  Launcher launcher(io, equipment_of(check), feed());
  launcher.start(order(42));
  io.settle();
  ASSERT_NE(seen, nullptr);
  EXPECT_EQ(launcher.in_flight(), 1U);
  EXPECT_TRUE(done.empty());
  io.run_for(seconds(1));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].run, (RunId{0, 42}));
  EXPECT_EQ(done[0].result.outcome, checks::Outcome::held);
  EXPECT_EQ(done[0].result.captures.at("next"), "8");
  EXPECT_EQ(launcher.in_flight(), 0U);
}

TEST_F(LauncherTest, CancelsOneCheckAndLeavesTheOthers) {
  auto check = std::make_shared<TestCheck>(holds_after(io, seconds(1)));
  Launcher launcher(io, equipment_of(check), feed());
  launcher.start(order(1));
  launcher.start(order(2));
  io.settle();
  launcher.cancel(CancelCheck{{0, 1}, false, 0, 0});
  io.settle();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].run.seq, 1U);
  EXPECT_EQ(done[0].result.error.code, ErrorCode::cancelled);
  io.run_for(seconds(1));
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[1].run.seq, 2U);
  EXPECT_EQ(done[1].result.outcome, checks::Outcome::held);
}

TEST_F(LauncherTest, CancellingWhatHasEndedIsNothing) {
  auto check = std::make_shared<TestCheck>(holds_after(io, seconds(1)));
  Launcher launcher(io, equipment_of(check), feed());
  launcher.start(order());
  io.run_for(seconds(1));
  launcher.cancel(CancelCheck{{0, 0}, false, 0, 0});
  launcher.cancel(CancelCheck{{9, 9}, true, 9, 9});
  io.settle();
  EXPECT_EQ(done.size(), 1U);
}

TEST_F(LauncherTest, AnExceptionThatEscapesACheckIsAFaultOfTheProbe) {
  auto check = std::make_shared<TestCheck>([&](checks::RunContext&) -> io::Awaitable<checks::CheckResult> {
    const Instant then = io.now() + seconds(1);
    co_await io.sleep_until(then);
    throw std::runtime_error("the disk is on fire");
  });
  Launcher launcher(io, equipment_of(check), feed());
  launcher.start(order());
  io.run_for(seconds(1));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].result.outcome, checks::Outcome::probe_fault);
  EXPECT_EQ(done[0].result.error.code, ErrorCode::internal);
  EXPECT_THAT(done[0].result.error.text, HasSubstr("the disk is on fire"));
  EXPECT_EQ(launcher.in_flight(), 0U);
}

TEST_F(LauncherTest, ACheckThatWaitsOnAfterItsCancellationIsEnded) {
  bool went_on = false;
  auto check = std::make_shared<TestCheck>([&](checks::RunContext&) -> io::Awaitable<checks::CheckResult> {
    const Instant then = io.now() + seconds(1);
    co_await io.sleep_until(then);
    co_await io.sleep_until(then + seconds(3600));
    went_on = true;
    co_return held();
  });
  Launcher launcher(io, equipment_of(check), feed());
  launcher.start(order());
  io.settle();
  launcher.cancel(CancelCheck{{0, 0}, false, 0, 0});
  io.settle();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].result.error.code, ErrorCode::cancelled);
  EXPECT_FALSE(went_on);
}

TEST_F(LauncherTest, AnswersBusyAtOnceWhenAllPlacesAreHeld) {
  auto check = std::make_shared<TestCheck>(holds_after(io, seconds(1)));
  Launcher launcher(io, equipment_of(check), feed(), 2);
  for (uint64_t seq = 0; seq < 3; ++seq) launcher.start(order(seq));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].run.seq, 2U);
  EXPECT_EQ(done[0].result.outcome, checks::Outcome::probe_fault);
  EXPECT_EQ(done[0].result.error.code, ErrorCode::busy);
  EXPECT_EQ(check->started, 2);
  io.run_for(seconds(1));
  launcher.start(order(3));
  io.run_for(seconds(1));
  ASSERT_EQ(done.size(), 4U);
  EXPECT_EQ(done[3].result.outcome, checks::Outcome::held);
}

// Checks that do not even end when they are cancelled, as many as a target's trouble can make of them.
TEST_F(LauncherTest, ATransactionWhoseChecksNeverEndTakesNoPlaceOfAnothers) {
  bool over = false;
  auto stuck = std::make_shared<TestCheck>(never_ends(io, over));
  auto good = std::make_shared<TestCheck>(holds_after(io, seconds(1)));
  Equipment equipment = equipment_of(stuck);
  auto plan = std::make_shared<Plan>(*equipment.plan);
  plan->transactions.push_back(plan->transactions[0]);
  plan->transactions[1].name = "u";
  equipment.plan = plan;
  equipment.checks.push_back({good});
  equipment.finally.emplace_back();
  {
    Launcher launcher(io, equipment, feed(), 10);
    for (uint64_t seq = 0; seq < 10; ++seq) {
      launcher.start(order(seq));
      io.settle();
      launcher.cancel(CancelCheck{{0, seq}, false, 0, 0});
    }
    EXPECT_EQ(stuck->started, 5);
    ASSERT_EQ(done.size(), 5U);  // the others were told at once, and as our own fault
    for (const CheckDone& one : done) {
      EXPECT_EQ(one.result.outcome, checks::Outcome::probe_fault);
      EXPECT_EQ(one.result.error.code, ErrorCode::busy);
      EXPECT_THAT(one.result.error.text, HasSubstr("5 checks of this transaction"));
    }
    done.clear();
    for (uint64_t seq = 0; seq < 5; ++seq) {
      StartCheck other = order(seq);
      other.run.transaction = 1;
      launcher.start(other);
    }
    io.run_for(seconds(1));
    ASSERT_EQ(done.size(), 5U);
    for (const CheckDone& one : done) EXPECT_EQ(one.result.outcome, checks::Outcome::held);
    over = true;  // what ends gives its place back
    io.run_for(seconds(1));
    done.clear();
    launcher.start(order(99));
    io.run_for(seconds(1));
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].result.outcome, checks::Outcome::held);
  }
  io.settle();
}

TEST(LauncherShares, AreInProportionAndNeverNone) {
  Plan plan;
  const auto shares = [&](std::vector<unsigned> in_flight, size_t total) {
    plan.transactions.clear();
    for (const unsigned most : in_flight) plan.transactions.emplace_back().max_in_flight = most;
    return shares_of(plan, total);
  };
  EXPECT_EQ(shares({1}, 4096), (std::vector<size_t>{4096}));
  EXPECT_EQ(shares({4, 4}, 4096), (std::vector<size_t>{2048, 2048}));
  const auto uneven = shares({3000, 1}, 4096);
  EXPECT_GE(uneven[0], 3016U);  // all that it may have in flight
  EXPECT_GE(uneven[1], 17U);
  EXPECT_LE(uneven[0] + uneven[1], 4096U);
  EXPECT_EQ(shares({1'000'000, 1}, 100)[1], 12U);  // nobody takes it all by asking for more than there is
  for (const size_t share : shares(std::vector<unsigned>(5000, 1), 4096)) EXPECT_EQ(share, 1U);
}

// By then its transaction's number is another one's: the answer was taken for that of a run that goes on.
TEST_F(LauncherTest, WhatThePlanBeforeHasLeftReportsToNobodyEvenAtOnce) {
  auto check = std::make_shared<TestCheck>(holds_after(io, seconds(1)));
  Equipment equipment = equipment_of(check);
  equipment.finally = {{check}};
  auto plan = std::make_shared<Plan>(*equipment.plan);
  plan->transactions[0].finally = {plan->transactions[0].stages[0]};
  equipment.plan = plan;
  Launcher launcher(io, equipment, feed(), 3);
  launcher.start(order(1));
  launcher.start(order(2));
  io.settle();
  Outputs last;
  last.emplace_back(CancelCheck{{0, 1}, false, 0, 0});
  for (int i = 0; i < 3; ++i) {
    StartCheck step = order(static_cast<uint64_t>(i));
    step.finally = true;
    last.emplace_back(std::move(step));
  }
  launcher.go_on_with(equipment_of(check), Succession{{std::nullopt}, {std::nullopt}, {}}, last);
  io.run_for(seconds(5));
  EXPECT_EQ(check->started, 3) << "for two steps there was no place";
  EXPECT_TRUE(done.empty());
  EXPECT_EQ(launcher.take_dropped(), (std::map<std::string, uint64_t>{{"t", 2}}));
  EXPECT_TRUE(launcher.take_dropped().empty());
  EXPECT_EQ(launcher.dropped(), 2U);
  launcher.start(order(7));
  io.run_for(seconds(2));
  EXPECT_EQ(done.size(), 1U) << "and those of the plan after report again";
}

TEST_F(LauncherTest, ReportsToNobodyAfterItsEnd) {
  auto check = std::make_shared<TestCheck>(holds_after(io, seconds(1)));
  {
    Launcher launcher(io, equipment_of(check), feed());
    launcher.start(order());
    io.settle();
  }
  io.run_for(seconds(2));
  EXPECT_TRUE(done.empty());
  EXPECT_EQ(check.use_count(), 1) << "the cancelled coroutine still holds its check";
}

}  // namespace
}  // namespace slosonde::engine
