#include "probe/io/inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <utility>

namespace slosonde::io {

// Without its eventfd nothing can run, and nobody is there to be told yet: the number then shows in every use.
Inbox::Inbox(size_t max_bytes) : max_bytes_(max_bytes), event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Inbox::~Inbox() {
  if (event_ >= 0) close(event_);
}

bool Inbox::post(size_t bytes, std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  // A single task larger than the cap is refused too: the cap is what the inbox may hold in memory.
  if (event_ < 0 || bytes > max_bytes_ - bytes_) {
    ++dropped_;
    return false;
  }
  tasks_.push_back(std::move(task));
  bytes_ += bytes;
  const uint64_t one = 1;
  // Fails only when the counter is full, which means that it is readable.
  [[maybe_unused]] const auto written = write(event_, &one, sizeof one);
  return true;
}

size_t Inbox::drain() {
  std::vector<std::function<void()>> taken;
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) return 0;
    uint64_t count = 0;
    [[maybe_unused]] const auto cleared = read(event_, &count, sizeof count);
    taken.swap(tasks_);
    bytes_ = 0;
  }
  std::exception_ptr thrown;
  for (const auto& task : taken) {
    try {
      task();
    } catch (...) {
      if (!thrown) thrown = std::current_exception();
    }
  }
  if (thrown) std::rethrow_exception(thrown);
  return taken.size();
}

uint64_t Inbox::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace slosonde::io
