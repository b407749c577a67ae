// Another plan for a service at work: checks and watches under way, what is committed, what is shown.
#include <gmock/gmock.h>

#include <new>

#include "tests/unit/engine/launcher_world.h"

namespace slosonde::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Covers all the time, and keeps count of how often it was begun and ended.
struct Places {
  explicit Places(TestIo& world) : io(world) {}

  std::shared_ptr<TestWatch> watch() {
    return std::make_shared<TestWatch>([this](checks::WatchSink& sink) -> io::Awaitable<Error> {
      ++begun;
      sinks.push_back(&sink);
      for (;;) {
        const Instant now = io.now();
        sink.covered(now, now);
        const Instant next = now + seconds(1);
        co_await io.sleep_until(next);
        if (io.now() < next) break;
      }
      ++ended;
      Error error{ErrorCode::cancelled, "stopped"};
      co_return error;
    });
  }

  TestIo& io;
  int begun = 0, ended = 0;
  std::vector<checks::WatchSink*> sinks;
};

class ServiceReloadTest : public testing::Test {
 protected:
  // Transactions in this order, each of one stage with this check; `watched`: the first has a second one.
  struct Part {
    std::string name;
    std::shared_ptr<checks::Check> check;
    std::string definition = {};
  };
  Equipment equipment(const std::vector<Part>& parts, const std::string& place = {},
                      std::shared_ptr<checks::Watch> watch = nullptr) {
    Equipment made = equipment_of(parts[0].check);
    Plan plan = *made.plan;
    const TransactionPlan like = plan.transactions[0];
    plan.transactions.clear();
    made.checks.clear();
    made.finally.clear();
    for (const Part& part : parts) {
      TransactionPlan one = like;
      one.name = part.name;
      one.stages[0].definition = part.definition;
      one.stages[0].within = seconds(4);
      made.checks.push_back({part.check});
      made.finally.emplace_back();
      if (watch && part.name == "watched") {
        StagePlan seen = one.stages[0];
        seen.name = "seen";
        seen.mode = StageMode::watched;
        one.stages.push_back(seen);
        made.checks.back().push_back(nullptr);
      }
      plan.transactions.push_back(std::move(one));
    }
    if (watch) {
      plan.watches.push_back({place, "test", "test " + place});
      made.watches = {std::move(watch)};
    }
    made.plan = std::make_shared<const Plan>(std::move(plan));
    return made;
  }

  void reload(Service& service, Equipment next) {
    std::optional<Result<Service::Changes>> outcome;
    service.go_on_with(std::move(next), [&](Result<Service::Changes> done) { outcome = std::move(done); });
    io.settle();
    ASSERT_TRUE(outcome);
    ASSERT_TRUE(*outcome) << outcome->error().text;
    changes = std::move(**outcome);
  }

  static uint64_t runs(const Service& service, size_t transaction, RunVerdict verdict) {
    const auto shown = service.snapshot();
    return shown->transactions.at(transaction).verdicts[static_cast<size_t>(verdict)];
  }

  TestIo io;
  Places places{io};
  Service::Changes changes;
};

TEST_F(ServiceReloadTest, AChecksResultFindsItsRunUnderAnotherIndex) {
  const auto slow = std::make_shared<TestCheck>(holds_after(io, seconds(3)));
  const auto other = std::make_shared<TestCheck>(holds_after(io, milliseconds(10)));
  Service service(io, equipment({{"slow", slow}, {"gone", other}}), {});
  service.start();
  while (slow->started == 0) io.run_for(milliseconds(100));
  reload(service, equipment({{"new", other}, {"slow", std::make_shared<TestCheck>(holds_after(io, seconds(1)))}}));
  EXPECT_EQ(changes.size(), 2U);
  EXPECT_EQ(slow->started, 1);
  io.run_for(milliseconds(3500));
  EXPECT_EQ(runs(service, 1, RunVerdict::good), 1U);
  EXPECT_EQ(runs(service, 1, RunVerdict::bad), 0U);
  io.run_for(seconds(30));
  EXPECT_EQ(slow->started, 1) << "later runs have the new plan's check";
  EXPECT_EQ(slow.use_count(), 1);
}

TEST_F(ServiceReloadTest, AChangedTransactionsChecksAreCancelledAndHoldNoPlace) {
  const auto hangs = std::make_shared<TestCheck>(holds_after(io, seconds(3600)));
  Service service(io, equipment({{"t", hangs, "one"}}), {});
  service.start();
  while (hangs->started == 0) io.run_for(milliseconds(100));
  const auto fresh = std::make_shared<TestCheck>(holds_after(io, milliseconds(10)));
  reload(service, equipment({{"t", fresh, "two"}}));
  io.settle();
  EXPECT_EQ(hangs.use_count(), 1) << "its coroutine has ended";
  EXPECT_EQ(runs(service, 0, RunVerdict::probe_fault), 1U);
  io.run_for(seconds(20));
  EXPECT_GE(fresh->started, 3);
  EXPECT_EQ(runs(service, 0, RunVerdict::bad), 0U);
}

TEST_F(ServiceReloadTest, AWatchOfEqualSettingsIsNotBegunAgainAndAnotherOneIs) {
  const auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(10)));
  const auto watch = places.watch();
  Service service(io, equipment({{"watched", check}}, "here", watch), {});
  service.start();
  io.run_for(seconds(3));
  const auto unused = places.watch();
  reload(service, equipment({{"other", check}, {"watched", check}}, "here", unused));
  io.run_for(seconds(3));
  EXPECT_EQ(unused->started, 0);
  EXPECT_EQ(places.begun, 1);
  EXPECT_EQ(places.ended, 0);
  EXPECT_EQ(service.equipment().watches.at(0), watch);
  EXPECT_TRUE(service.snapshot()->ready);

  const auto next = places.watch();
  reload(service, equipment({{"watched", check}}, "there", next));
  io.run_for(seconds(3));
  EXPECT_EQ(next->started, 1);
  EXPECT_EQ(places.ended, 1);
  EXPECT_EQ(watch.use_count(), 1);
  EXPECT_EQ(service.snapshot()->watches.at(0).state, WatchState::in_sight);
}

TEST_F(ServiceReloadTest, WhetherItSucceededIsShown) {
  const auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(10)));
  Service service(io, equipment({{"t", check}}), {});
  service.start();
  const Instant begun = service.snapshot()->config->loaded;
  EXPECT_TRUE(service.snapshot()->config->reload_succeeded);
  io.run_for(seconds(3));
  service.reload_failed();
  EXPECT_FALSE(service.snapshot()->config->reload_succeeded);
  EXPECT_EQ(service.snapshot()->config->loaded, begun);
  Equipment next = equipment({{"t", check}});
  next.shown = std::make_shared<const std::string>("{}");
  reload(service, std::move(next));
  EXPECT_TRUE(service.snapshot()->config->reload_succeeded);
  EXPECT_GE(service.snapshot()->config->loaded, begun + seconds(3));
  EXPECT_EQ(*service.snapshot()->config->shown, "{}");
  EXPECT_TRUE(changes.empty());
}

// It would go on with the runs of one plan and the checks of the other.
TEST_F(ServiceReloadTest, AReloadThatFailsHalfWayEndsTheProcess) {
  const auto slow = std::make_shared<TestCheck>(holds_after(io, seconds(3)));
  ServiceOptions options;
  bool want_of_memory = false;
  options.on_notice = [&](const Notice& notice) {
    if (want_of_memory && notice.kind == Notice::Kind::runs_cut) throw std::bad_alloc();
  };
  Service service(io, equipment({{"t", slow, "one"}}), std::move(options));
  service.start();
  while (slow->started == 0) io.run_for(milliseconds(100));
  want_of_memory = true;
  service.go_on_with(equipment({{"t", slow, "two"}}), [](const Result<Service::Changes>&) {});
  EXPECT_DEATH(io.settle(), "bad_alloc");
}

TEST_F(ServiceReloadTest, AProbeThatStopsTakesNoOtherPlan) {
  const auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(10)));
  Service service(io, equipment({{"t", check}}), {});
  service.start();
  io.run_for(seconds(1));
  std::vector<ErrorCode> codes;
  const auto done = [&](const Result<Service::Changes>& outcome) {
    codes.push_back(outcome ? ErrorCode::none : outcome.error().code);
  };
  service.go_on_with(equipment({{"t", check}}), done);
  service.go_on_with(equipment({{"t", check}}), done);  // one at a time
  service.drain(seconds(1), nullptr);
  io.settle();
  service.go_on_with(equipment({{"t", check}}), done);
  EXPECT_THAT(codes, testing::Each(ErrorCode::busy));
  EXPECT_EQ(codes.size(), 3U);
}

TEST_F(ServiceReloadTest, FiftyReloadsLoseNoSlot) {
  const auto check = std::make_shared<TestCheck>(holds_after(io, milliseconds(700)));
  Service service(io, equipment({{"a", check}, {"b", check}}), {});
  service.start();
  io.run_for(seconds(6));
  for (int n = 0; n < 50; ++n) {
    const bool odd = n % 2 == 1;
    reload(service, odd ? equipment({{"a", check}, {"b", check}}) : equipment({{"b", check}, {"a", check}}));
    io.run_for(milliseconds(1900));
  }
  io.run_for(seconds(2));
  for (size_t t = 0; t < 2; ++t) {
    EXPECT_GE(runs(service, t, RunVerdict::good), (6U + 95U) / 5U - 1U);
    EXPECT_EQ(runs(service, t, RunVerdict::missed), 0U);
    EXPECT_EQ(runs(service, t, RunVerdict::probe_fault), 0U);
    EXPECT_EQ(runs(service, t, RunVerdict::bad), 0U);
  }
}

}  // namespace
}  // namespace slosonde::engine
