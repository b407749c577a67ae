// What folders without Asio's headers need of it: a coroutine that runs by itself, and a bell to wait for.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "probe/base/time.h"

namespace slosonde::io {

// A coroutine beside its owner's. Ended (cancelled) with the Task; it may still be unwinding a moment later, so what it
// touches must be kept alive by its own arguments. What it throws is dropped. Engine thread; it may end outside the
// loop (as at the end of a process), whose executor then outlives it.
class Task {
 public:
  Task() = default;
  Task(const boost::asio::any_io_executor& executor, boost::asio::awaitable<void> work);
  ~Task();
  Task(Task&&) noexcept;
  Task& operator=(Task&&) noexcept;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  bool running() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Rung by one, waited for by one. A ring before the wait is kept; several are one. Engine thread.
class Bell {
 public:
  explicit Bell(const boost::asio::any_io_executor& executor);
  ~Bell();
  Bell(Bell&&) noexcept;
  Bell& operator=(Bell&&) noexcept;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  void ring();
  // True when rung, false when the waiting coroutine was cancelled.
  boost::asio::awaitable<bool> wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slosonde::io
