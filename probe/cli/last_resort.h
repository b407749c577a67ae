// What is to be done when the process does not come to its end by itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "probe/base/time.h"

namespace slosonde::cli {

// Calls `act`, once, on a thread of its own, unless over() comes first. Made and ended by one thread; that thread may
// be stuck in what it waits for when `act` is called.
class LastResort {
 public:
  explicit LastResort(std::function<void()> act);
  ~LastResort();
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

  // Any thread. Counts from now; the earlier one, when there was one before.
  void within(Duration time);
  // Afterwards `act` is not called any more, and has returned if it was.
  void over();

 private:
  void wait();

  std::function<void()> act_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace slosonde::cli
