#include "probe/engine/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <new>
#include <thread>

#include "probe/engine/launcher.h"
#include "tests/unit/engine/launcher_world.h"

namespace slosonde::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class ServiceTest : public testing::Test {
 protected:
  std::unique_ptr<Service> service_of(std::shared_ptr<checks::Check> check, bool schedule,
                                      std::shared_ptr<checks::Watch> watch = nullptr) {
    Equipment equipment = equipment_of(std::move(check));
    if (watch) {
      Plan plan = *equipment.plan;
      plan.watches.push_back({"test place", "test"});
      StagePlan seen;
      seen.name = "seen";
      seen.mode = StageMode::watched;
      seen.within = seconds(4);
      plan.transactions[0].stages.push_back(seen);
      equipment.plan = std::make_shared<const Plan>(std::move(plan));
      equipment.checks[0].push_back(nullptr);
      equipment.watches.push_back(std::move(watch));
    }
    ServiceOptions options;
    options.schedule = schedule;
    auto service = std::make_unique<Service>(io, std::move(equipment), std::move(options));
    service->start();
    return service;
  }
  void trigger(Service& service, const std::string& name) {
    service.trigger(name, [this](Result<std::string> started) { answers.push_back(std::move(started)); });
    io.settle();
  }
  static uint64_t runs(const Service& service, RunVerdict verdict) {
    return service.snapshot()->transactions.at(0).verdicts.at(static_cast<size_t>(verdict));
  }

  TestIo io;
  std::vector<Result<std::string>> answers;
};

TEST_F(ServiceTest, RunsOnScheduleAndCounts) {
  auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(100)));
  const auto service = service_of(check, true);
  io.run_for(seconds(60));
  EXPECT_THAT(check->started, testing::AllOf(testing::Ge(11), testing::Le(13)));
  EXPECT_GE(runs(*service, RunVerdict::good), 11U);
  EXPECT_EQ(runs(*service, RunVerdict::bad), 0U);
}

// For want of memory, say: the turn is lost, and the alarm must ring for the next one all the same.
TEST_F(ServiceTest, ATurnThatThrowsIsNotTheLast) {
  auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(100)));
  ServiceOptions options;
  int shown = 0;
  options.on_snapshot = [&shown] {
    if (++shown == 10) throw std::bad_alloc();
  };
  Service service(io, equipment_of(check), std::move(options));
  service.start();
  EXPECT_THROW(io.run_for(seconds(60)), std::bad_alloc);
  const int before = check->started;
  io.run_for(seconds(60));
  EXPECT_GE(check->started, before + 11);
}

TEST_F(ServiceTest, AHangingCheckIsJudgedAtItsLimitAndCancelled) {
  auto check = std::make_shared<TestCheck>(holds_after(io, seconds(3600)));
  const auto service = service_of(check, true);
  io.run_for(seconds(60));
  EXPECT_GE(runs(*service, RunVerdict::bad), 11U);
  EXPECT_EQ(runs(*service, RunVerdict::good), 0U);
  // Ours, the service's, the launcher's, and that of one check in flight at the most.
  EXPECT_LE(check.use_count(), 4) << "cancelled checks are still in flight";
}

// It would be acknowledged, and be gone with the process.
TEST_F(ServiceTest, ACommandThatComesAfterTheLastCommitIsNotTaken) {
  // Comes to its end only a second after it was cancelled.
  auto check = std::make_shared<TestCheck>([this](checks::RunContext&) -> io::Awaitable<checks::CheckResult> {
    const Instant cancelled = io.now() + seconds(3600);
    co_await io.sleep_until(cancelled);
    const Instant over = io.now() + seconds(1);
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    co_await io.sleep_until(over);
    co_return held();
  });
  const auto service = service_of(check, true);
  io.run_for(seconds(6));
  std::vector<Result<void>> said;
  const auto suspend = [&] {
    service->command(Suspend{"t", true}, [&](Result<void> taken) { said.push_back(std::move(taken)); });
    io.run_for(milliseconds(50));
  };
  suspend();
  bool over = false;
  service->drain(Duration::zero(), [&over] { over = true; });
  io.run_for(milliseconds(50));
  ASSERT_FALSE(over) << "the check is slow to end";
  suspend();
  ASSERT_EQ(said.size(), 2U);
  EXPECT_TRUE(said[0]) << said[0].error().text;
  ASSERT_FALSE(said[1]);
  EXPECT_EQ(said[1].error().code, ErrorCode::busy);
}

// Orders of 64 KiB were booked as 4 KiB: sixteen times the inbox's room could be held.
TEST_F(ServiceTest, ACommandTakesAsMuchOfTheInboxAsItHolds) {
  const auto service = service_of(std::make_shared<TestCheck>(holds_after(io, milliseconds(100))), true);
  ExclusionOrder large;
  large.name = "large";
  large.transactions = {std::string(size_t{64} * 1024, 'x')};
  size_t busy = 0;
  for (int i = 0; i < 300; ++i) {
    service->command(large, [&](const Result<void>& taken) {
      if (!taken && taken.error().code == ErrorCode::busy) ++busy;
    });
  }
  EXPECT_GT(busy, 40U) << "16 MiB have no room for them";
  EXPECT_LT(busy, 60U);
  io.settle();
}

TEST_F(ServiceTest, ATriggeredRunIsInTheSnapshotWhenItsMarkerIsKnown) {
  auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(100)));
  const auto service = service_of(check, false);
  io.run_for(seconds(30));
  EXPECT_EQ(check->started, 0) << "without a schedule only triggers start runs";
  trigger(*service, "t");
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_TRUE(answers[0]) << answers[0].error().text;
  const auto before = service->snapshot();
  ASSERT_EQ(before->runs.size(), 1U);
  EXPECT_EQ((*before->runs.begin())->marker, *answers[0]);
  EXPECT_EQ((*before->runs.begin())->origin, Origin::triggered);
  EXPECT_FALSE((*before->runs.begin())->verdict);
  io.run_for(seconds(5));
  const auto after = service->snapshot();
  ASSERT_EQ(after->runs.size(), 1U);
  EXPECT_EQ((*after->runs.begin())->verdict, RunVerdict::good);
  EXPECT_EQ(runs(*service, RunVerdict::good), 0U) << "triggered runs are not counted";
}

TEST_F(ServiceTest, SnapshotsAreMadeSoonAfterAChangeOnlyForWhoReadsThem) {
  const auto verdict = [](const Snapshot& shown) { return (*shown.runs.begin())->verdict; };
  const auto service = service_of(std::make_shared<TestCheck>(holds_after(io, milliseconds(100))), false);
  io.run_for(seconds(5));
  trigger(*service, "t");
  io.run_for(milliseconds(600));
  EXPECT_FALSE(verdict(*service->snapshot())) << "nobody has asked for one since the run began";
  io.run_for(milliseconds(500));
  EXPECT_EQ(verdict(*service->snapshot()), RunVerdict::good) << "none is older than a second";
  trigger(*service, "t");
  EXPECT_FALSE(verdict(*service->snapshot()));
  io.run_for(milliseconds(300));
  EXPECT_EQ(verdict(*service->snapshot()), RunVerdict::good) << "the one before it was read";
}

TEST_F(ServiceTest, ATriggerForNoTransactionSaysWhichThereAre) {
  const auto service = service_of(std::make_shared<TestCheck>(holds_after(io, milliseconds(100))), false);
  trigger(*service, "nope");
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_FALSE(answers[0]);
  EXPECT_EQ(answers[0].error().code, ErrorCode::bad_config);
  EXPECT_THAT(answers[0].error().text, testing::AllOf(HasSubstr("\"nope\""), HasSubstr("there are: t")));
}

TEST_F(ServiceTest, TooManyTriggersAtATimeAreBusy) {
  auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(1500)));
  const auto service = service_of(check, false);
  for (int i = 0; i < 100; ++i) trigger(*service, "t");
  ASSERT_EQ(answers.size(), 100U);
  const auto started =
      static_cast<int>(std::count_if(answers.begin(), answers.end(), [](const auto& a) { return !!a; }));
  EXPECT_EQ(started, check->started);
  EXPECT_GE(started, 1);
  EXPECT_LE(started, 50);
  for (const auto& answer : answers) {
    if (!answer) {
      EXPECT_EQ(answer.error().code, ErrorCode::busy);
    }
  }
  answers.clear();
  io.run_for(seconds(2));
  trigger(*service, "t");
  EXPECT_TRUE(answers.at(0)) << "the places were given back";
}

TEST_F(ServiceTest, TriggersComeFromAnyThread) {
  auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(100)));
  const auto service = service_of(check, false);
  std::jthread other(
      [&] { service->trigger("t", [this](Result<std::string> started) { answers.push_back(std::move(started)); }); });
  other.join();
  io.settle();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers[0]);
}

// What the run has created stays behind: nobody was told.
TEST_F(ServiceTest, CleanUpThatFindsNoPlaceIsCountedAndTold) {
  bool over = false;
  auto stuck = std::make_shared<TestCheck>(never_ends(io, over));
  auto cleans = std::make_shared<TestCheck>(holds_after(io, milliseconds(10)));
  Equipment equipment = equipment_of(stuck);
  Plan plan = *equipment.plan;
  TransactionPlan like = plan.transactions[0];
  plan.transactions[0].finally = {like.stages[0]};
  equipment.finally = {{cleans}};
  while (plan.transactions.size() <= kMaxChecksInFlight) {  // each has a share of one
    like.name = "t" + std::to_string(plan.transactions.size());
    plan.transactions.push_back(like);
    equipment.checks.push_back({stuck});
    equipment.finally.emplace_back();
  }
  equipment.plan = std::make_shared<const Plan>(std::move(plan));
  std::vector<Notice> told;
  ServiceOptions options;
  options.schedule = false;
  options.on_notice = [&](const Notice& one) { told.push_back(one); };
  Service service(io, std::move(equipment), std::move(options));
  service.start();
  trigger(service, "t");
  io.run_for(seconds(5));
  EXPECT_EQ(cleans->started, 0);
  EXPECT_EQ(service.snapshot()->clean_up_dropped, 1U);
  const auto is_it = [](const Notice& one) { return one.kind == Notice::Kind::clean_up_dropped; };
  ASSERT_EQ(std::ranges::count_if(told, is_it), 1);
  EXPECT_EQ(std::ranges::find_if(told, is_it)->subject, "t");
  EXPECT_THAT(std::ranges::find_if(told, is_it)->text, HasSubstr("1 clean-up step was not begun (busy)"));
  over = true;
  io.run_for(seconds(2));
}

TEST_F(ServiceTest, DrainLetsRunsInFlightGoOnAndStartsNoMore) {
  auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(1500)));
  const auto service = service_of(check, true);
  while (check->started == 0) io.run_for(milliseconds(100));
  int done = 0;
  service->drain(seconds(10), [&] { ++done; });
  io.run_for(milliseconds(1000));
  EXPECT_EQ(done, 0);
  EXPECT_TRUE(service->snapshot()->draining);
  trigger(*service, "t");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_FALSE(answers[0]);
  io.run_for(milliseconds(1000));
  EXPECT_EQ(done, 1) << "the last run is over; there is nothing to wait for";
  EXPECT_EQ(runs(*service, RunVerdict::good), 1U);
  io.run_for(seconds(60));
  EXPECT_EQ(check->started, 1);
  EXPECT_EQ(done, 1);
}

TEST_F(ServiceTest, DrainEndsWithTheGraceAndASecondCallAtOnce) {
  for (const bool twice : {false, true}) {
    auto check = std::make_shared<TestCheck>([this](checks::RunContext& context) -> io::Awaitable<checks::CheckResult> {
      co_await io.sleep_until(context.deadline);
      co_return held();
    });
    const auto service = service_of(check, true);
    while (check->started == 0) io.run_for(milliseconds(100));
    std::optional<Instant> done;
    const Instant asked = io.now();
    service->drain(milliseconds(500), [&] { done = io.now(); });
    if (twice) service->drain(milliseconds(500), nullptr);
    io.run_for(seconds(5));
    ASSERT_TRUE(done);
    const Duration took = *done - asked;
    if (twice) {
      EXPECT_LT(took, milliseconds(100));
    } else {
      EXPECT_GE(took, milliseconds(500));
      EXPECT_LT(took, milliseconds(600));
    }
  }
}

// The loop was stuck past the limit while the evidence was already there: what has arrived is taken in first.
TEST_F(ServiceTest, EvidenceThatWaitsIsTakenInBeforeTheLimitIsJudged) {
  checks::WatchSink* sink = nullptr;
  auto watch = std::make_shared<TestWatch>([&](checks::WatchSink& given) -> io::Awaitable<Error> {
    sink = &given;
    sink->covered(io.now(), io.now());
    const Instant then = io.now() + seconds(100'000);
    co_await io.sleep_until(then);
    Error none;
    co_return none;
  });
  std::string marker;
  auto check = std::make_shared<TestCheck>([&](checks::RunContext& context) -> io::Awaitable<checks::CheckResult> {
    marker = context.marker;
    co_return held();
  });
  const auto service = service_of(check, false, watch);
  io.run_for(seconds(1));
  ASSERT_NE(sink, nullptr);
  trigger(*service, "t");
  io.run_for(seconds(1));
  ASSERT_FALSE(marker.empty());
  const Instant arrived = io.now();
  io.inbox().post(1, [&, arrived] {
    checks::Evidence evidence;
    evidence.text = marker;
    evidence.seen_lo = evidence.seen_hi = arrived;
    sink->evidence(evidence);
  });
  io.stall(seconds(30));
  io.run_for(seconds(1));
  const auto run = *service->snapshot()->runs.begin();
  EXPECT_EQ(run->stages.at(1).verdict, StageVerdict::on_time);
  EXPECT_EQ(run->verdict, RunVerdict::good);
}

// The same for evidence that needs a few turns of the loop to get from a socket to us.
TEST_F(ServiceTest, ALateLoopGivesWhatIsOnItsWayTheTimeToArrive) {
  std::string marker;
  auto watch = std::make_shared<TestWatch>([&](checks::WatchSink& sink) -> io::Awaitable<Error> {
    sink.covered(io.now(), io.now());
    const Instant soon = io.now() + seconds(3);
    co_await io.sleep_until(soon);
    const auto executor = io.executor();
    co_await boost::asio::post(executor, boost::asio::use_awaitable);
    co_await boost::asio::post(executor, boost::asio::use_awaitable);
    checks::Evidence evidence;
    evidence.text = marker;
    evidence.seen_lo = evidence.seen_hi = soon;
    sink.evidence(evidence);
    co_await io.sleep_until(soon + seconds(100'000));
    Error none;
    co_return none;
  });
  auto check = std::make_shared<TestCheck>([&](checks::RunContext& context) -> io::Awaitable<checks::CheckResult> {
    marker = context.marker;
    co_return held();
  });
  const auto service = service_of(check, false, watch);
  io.run_for(seconds(1));
  trigger(*service, "t");
  io.run_for(milliseconds(500));
  ASSERT_FALSE(marker.empty());
  io.stall(seconds(30));
  io.run_for(seconds(1));
  const auto run = *service->snapshot()->runs.begin();
  EXPECT_EQ(run->stages.at(1).verdict, StageVerdict::on_time);
  EXPECT_EQ(run->verdict, RunVerdict::good);
}

// A message in flight that its own timeout ran down for while the process was stopped: its target had no chance.
TEST_F(ServiceTest, ACheckThatRanOutOfTimeWhileWeStoodStillIsOurFault) {
  for (const bool stopped : {false, true}) {
    auto check = std::make_shared<TestCheck>([this](checks::RunContext&) -> io::Awaitable<checks::CheckResult> {
      const Instant until = io.now() + seconds(5);
      co_await io.sleep_until(until);
      checks::CheckResult result;
      result.outcome = checks::Outcome::timed_out;
      result.error = {ErrorCode::unconfirmed, "no acknowledgement in time"};
      co_return result;
    });
    Service service(io, equipment_of(check, seconds(20)),
                    {.state = {}, .schedule = false, .on_notice = {}, .on_snapshot = {}});
    service.start();
    io.run_for(seconds(1));
    trigger(service, "t");
    io.run_for(milliseconds(500));
    if (stopped) io.stall(seconds(8));
    io.run_for(seconds(6));
    ASSERT_EQ(service.snapshot()->runs.size(), 1U);
    EXPECT_EQ((*service.snapshot()->runs.begin())->verdict, stopped ? RunVerdict::probe_fault : RunVerdict::bad);
  }
}

TEST_F(ServiceTest, LoopLagIsMeasured) {
  const auto service = service_of(std::make_shared<TestCheck>(holds_after(io, milliseconds(100))), false);
  io.run_for(seconds(10));
  const auto calm = service->snapshot()->loop_lag;
  EXPECT_GE(calm.count(), 9U);
  EXPECT_EQ(calm.sum, 0);
  io.stall(seconds(3));
  io.run_for(seconds(2));
  const auto stuck = service->snapshot()->loop_lag;
  EXPECT_GE(stuck.sum, 2.0);
  EXPECT_LE(stuck.sum, 3.0);
}

TEST_F(ServiceTest, AWallClockStepIsCountedOnceAndASlowDriftIsNone) {
  const auto service = service_of(std::make_shared<TestCheck>(holds_after(io, milliseconds(100))), false);
  io.run_for(seconds(5));
  io.step_wall_clock(milliseconds(400));
  io.run_for(seconds(5));
  EXPECT_EQ(service->snapshot()->wall_steps, 0U);
  io.step_wall_clock(seconds(3600));
  io.run_for(seconds(5));
  EXPECT_EQ(service->snapshot()->wall_steps, 1U);
  EXPECT_EQ(service->snapshot()->wall_offset, seconds(3600) + milliseconds(400));
}

}  // namespace
}  // namespace slosonde::engine
