// Runs a coroutine on a Real until it is done.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "probe/io/real.h"

namespace slosonde::io {

// Everything a test does on the loop ends within this, or the test is at fault.
constexpr Duration kPatience = std::chrono::seconds(20);

template <class T>
T finish(Real& real, Awaitable<T> work) {
  std::optional<T> kept;
  boost::asio::co_spawn(real.executor(), std::move(work), [&](const std::exception_ptr& thrown, T result) {
    if (!thrown) kept = std::move(result);
    real.stop();
  });
  real.run();
  return std::move(kept).value();
}

// Starts it and cancels it once the loop has nothing left to do at once; what it said, if it ended by itself.
template <class T>
std::optional<T> start_and_cancel(Real& real, Awaitable<T> work) {
  boost::asio::cancellation_signal signal;
  std::optional<T> kept;
  boost::asio::co_spawn(
      real.executor(), std::move(work),
      boost::asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& thrown, T result) {
        if (!thrown) kept = std::move(result);
      }));
  real.poll();
  signal.emit(boost::asio::cancellation_type::terminal);
  real.poll();
  return kept;
}

}  // namespace slosonde::io
