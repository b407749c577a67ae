#include "probe/cli/last_resort.h"

#include <algorithm>
#include <utility>

namespace slosonde::cli {

LastResort::LastResort(std::function<void()> act) : act_(std::move(act)), thread_([this] { wait(); }) {}

LastResort::~LastResort() {
  over();
}

void LastResort::within(Duration time) {
  {
    const std::lock_guard lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + time;
    deadline_ = deadline_ ? std::min(*deadline_, deadline) : deadline;
  }
  wake_.notify_one();
}

void LastResort::over() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LastResort::wait() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    if (!deadline_) {
      wake_.wait(lock);
    } else if (std::chrono::steady_clock::now() < *deadline_) {
      wake_.wait_until(lock, *deadline_);
    } else {
      lock.unlock();
      act_();
      lock.lock();
      wake_.wait(lock, [this] { return over_; });
    }
  }
}

}  // namespace slosonde::cli
