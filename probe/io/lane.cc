#include "probe/io/lane.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace slosonde::io {

namespace asio = boost::asio;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// Who waits for a piece of work. The coroutine's own, on the engine thread: a lane thread that hangs may outlive it.
struct Waiter {
  explicit Waiter(asio::io_context& context) : timer(context) {}

  BootTimer timer;
  bool done = false;
  std::string error;
};

struct Job {
  std::function<void()> work;
  std::weak_ptr<Waiter> waiter;
};

}  // namespace

struct Lane::Shared {
  Shared(asio::io_context& owner, unsigned most, size_t queue) : context(owner), max_threads(most), max_queue(queue) {}

  asio::io_context& context;  // not touched once `closing` is set
  const unsigned max_threads;
  const size_t max_queue;
  std::mutex mutex;
  std::condition_variable work_there, idle;
  std::deque<Job> queue;
  unsigned threads = 0, busy = 0;
  uint64_t refused = 0;
  bool closing = false;

  static void serve(const std::shared_ptr<Shared>& shared);
  void finish(std::weak_ptr<Waiter> waiter, std::string error);
};

// Back to the engine thread, under the lock. Once the lane is closed nobody waits any more.
void Lane::Shared::finish(std::weak_ptr<Waiter> waiter, std::string error) {
  if (closing) return;
  asio::post(context, [waiter = std::move(waiter), error = std::move(error)]() mutable {
    const auto waiting = waiter.lock();
    if (!waiting) return;
    waiting->done = true;
    waiting->error = std::move(error);
    waiting->timer.cancel();
  });
}

void Lane::Shared::serve(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->work_there.wait(lock, [&] { return shared->closing || !shared->queue.empty(); });
    if (shared->closing) break;
    auto job = std::move(shared->queue.front());
    shared->queue.pop_front();
    ++shared->busy;
    lock.unlock();
    std::string error;
    try {
      job.work();
    } catch (const std::exception& thrown) {
      error = thrown.what();
    } catch (...) {
      error = "something that is no std::exception";
    }
    job.work = nullptr;  // what it owns may take its time to go
    lock.lock();
    --shared->busy;
    shared->finish(std::move(job.waiter), std::move(error));
    shared->idle.notify_all();
  }
  --shared->threads;
  shared->idle.notify_all();
}

Lane::Lane(asio::io_context& context, unsigned threads, size_t queue)
    : context_(context), shared_(std::make_shared<Shared>(context, threads, queue)) {}

Lane::~Lane() {
  std::unique_lock lock(shared_->mutex);
  shared_->closing = true;
  shared_->queue.clear();
  shared_->work_there.notify_all();
  shared_->idle.wait_for(lock, kPatience, [&] { return shared_->threads == 0; });
}

uint64_t Lane::refused() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->refused;
}

asio::awaitable<Result<void>> Lane::run(std::function<void()> work, BootClock::time_point deadline) {
  const auto waiter = std::make_shared<Waiter>(context_);
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->queue.size() >= shared_->max_queue) {
      ++shared_->refused;
      co_return fail(ErrorCode::busy, "the lane for blocking calls is full (" + std::to_string(shared_->max_queue) +
                                          " wait already); something it calls hangs");
    }
    shared_->queue.push_back(Job{std::move(work), waiter});
    if (shared_->busy + shared_->queue.size() > shared_->threads && shared_->threads < shared_->max_threads) {
      try {
        std::thread(Shared::serve, shared_).detach();
        ++shared_->threads;
      } catch (const std::system_error& thrown) {
        if (shared_->threads == 0) {
          shared_->queue.pop_back();
          co_return fail(ErrorCode::no_memory, std::string("no thread for a blocking call: ") + thrown.what());
        }
      }
    }
    shared_->work_there.notify_one();
  }
  // The loop must not run out of work while a thread has the job.
  const auto guard = asio::make_work_guard(context_);
  waiter->timer.expires_at(deadline);
  auto [ended] = co_await waiter->timer.async_wait(kTuple);
  if (waiter->done && waiter->error.empty()) co_return Result<void>();
  if (waiter->done) co_return fail(ErrorCode::internal, "a blocking call threw: " + waiter->error);
  if (ended) co_return fail(ErrorCode::cancelled, "cancelled while a blocking call was under way");
  co_return fail(ErrorCode::timeout, "a blocking call did not end in time");
}

}  // namespace slosonde::io
