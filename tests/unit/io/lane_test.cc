#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <thread>

#include "tests/unit/io/turning.h"

namespace slosonde::io {
namespace {

Awaitable<Result<void>> blocking(Real& real, std::function<void()> work, Duration patience) {
  const Instant deadline = real.now() + patience;
  auto done = co_await real.blocking(std::move(work), deadline);
  co_return done;
}

TEST(Lane, RunsWorkElsewhere) {
  Real real;
  std::thread::id where;
  EXPECT_TRUE(finish(real, blocking(
                               real, [&] { where = std::this_thread::get_id(); }, kPatience)));
  EXPECT_NE(where, std::this_thread::get_id());
  EXPECT_NE(where, std::thread::id());
}

TEST(Lane, ReportsWhatWasThrown) {
  Real real;
  const auto done = finish(real, blocking(
                                     real, [] { throw std::runtime_error("no such thing"); }, kPatience));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::internal);
  EXPECT_EQ(done.error().text, "a blocking call threw: no such thing");
}

TEST(Lane, LetsGoAtTheDeadlineAndTheWorkGoesOn) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  auto begun = std::make_shared<std::atomic<bool>>(false);
  auto ended = std::make_shared<std::atomic<bool>>(false);
  {
    Real real;
    const auto done = finish(real, blocking(
                                       real,
                                       [released, begun, ended] {
                                         *begun = true;
                                         released.wait();
                                         *ended = true;
                                       },
                                       std::chrono::milliseconds(1)));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::timeout);
    EXPECT_FALSE(*ended);
    release.set_value();
  }
  EXPECT_EQ(*ended, *begun) << "the lane waits for what is under way";
}

TEST(Lane, IsBusyWhenItsQueueIsFull) {
  RealOptions options;
  options.blocking_threads = 1;
  options.blocking_queue = 1;
  std::promise<void> release, started;
  const auto released = release.get_future().share();
  Real real(options);
  int ended = 0;
  const auto count = [&](const std::exception_ptr&, const Result<void>& result) {
    EXPECT_TRUE(result);
    if (++ended == 2) real.stop();
  };
  boost::asio::co_spawn(real.executor(),
                        blocking(
                            real,
                            [released, &started] {
                              started.set_value();
                              released.wait();
                            },
                            kPatience),
                        count);
  real.poll();
  started.get_future().wait();  // the thread holds the first, so the queue is empty again
  boost::asio::co_spawn(real.executor(),
                        blocking(
                            real, [] {}, kPatience),
                        count);
  real.poll();
  const auto refused = finish(real, blocking(
                                        real, [] {}, kPatience));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::busy);
  EXPECT_EQ(real.blocking_refused(), 1u);
  release.set_value();
  real.run();
  EXPECT_EQ(ended, 2);
}

}  // namespace
}  // namespace slosonde::io
