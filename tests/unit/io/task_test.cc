#include "probe/io/task.h"

#include <gtest/gtest.h>

#include "tests/unit/io/turning.h"

namespace slosonde::io {
namespace {

Awaitable<void> sleep(Real& real, Duration how_long, std::shared_ptr<int> ended) {
  const Instant until = real.now() + how_long;
  co_await real.sleep_until(until);
  ++*ended;
}

Awaitable<bool> wait(Bell& bell) {
  auto rung = co_await bell.wait();
  co_return rung;
}

TEST(Task, EndsWithItsOwner) {
  Real real;
  const auto ended = std::make_shared<int>(0);
  {
    const Task task(real.executor(), sleep(real, std::chrono::hours(1), ended));
    real.poll();
    EXPECT_TRUE(task.running());
  }
  real.poll();
  EXPECT_EQ(*ended, 1);
}

// The sleep is over when the loop turns again, and is taken up before the cancellation is.
TEST(Task, MayEndByItselfWhileItIsEndedFromOutsideTheLoop) {
  Real real;
  for (int i = 0; i < 200; ++i) {
    const auto ended = std::make_shared<int>(0);
    {
      const Task task(real.executor(), sleep(real, std::chrono::microseconds(i), ended));
      real.poll();
    }
    while (*ended == 0) real.poll();
    real.poll();
  }
}

TEST(Task, RunsToItsEnd) {
  Real real;
  const auto ended = std::make_shared<int>(0);
  const Task task(real.executor(), sleep(real, Duration(0), ended));
  while (task.running()) real.poll();
  EXPECT_EQ(*ended, 1);
}

TEST(Task, ANewOneEndsTheOld) {
  Real real;
  const auto first = std::make_shared<int>(0), second = std::make_shared<int>(0);
  Task task(real.executor(), sleep(real, std::chrono::hours(1), first));
  real.poll();
  task = Task(real.executor(), sleep(real, std::chrono::hours(1), second));
  real.poll();
  EXPECT_EQ(*first, 1);
  EXPECT_EQ(*second, 0);
  EXPECT_TRUE(task.running());
}

TEST(Bell, KeepsARingUntilSomebodyWaits) {
  Real real;
  Bell bell(real.executor());
  bell.ring();
  bell.ring();
  EXPECT_TRUE(finish(real, wait(bell)));
  EXPECT_EQ(start_and_cancel(real, wait(bell)), false);  // two rings were one
}

TEST(Bell, WakesWhoWaits) {
  Real real;
  Bell bell(real.executor());
  boost::asio::post(real.executor(), [&] { boost::asio::post(real.executor(), [&] { bell.ring(); }); });
  EXPECT_TRUE(finish(real, wait(bell)));
}

}  // namespace
}  // namespace slosonde::io
