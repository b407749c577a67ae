// Ends a socket's operation at its deadline.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <utility>

#include "probe/io/boot_clock.h"

namespace slosonde::io {

// While it lives it calls `expire` once, at the deadline. Engine thread.
template <class Expire>
class Watchdog {
 public:
  Watchdog(const boost::asio::any_io_executor& executor, BootClock::time_point deadline, Expire expire)
      : timer_(executor, deadline), state_(std::make_shared<State>(State{std::move(expire), false, false})) {
    timer_.async_wait([state = state_](const boost::system::error_code& cancelled) {
      if (cancelled || state->over) return;
      state->expired = true;
      state->expire();
    });
  }
  ~Watchdog() { state_->over = true; }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  bool expired() const { return state_->expired; }

 private:
  struct State {
    Expire expire;
    bool expired, over;
  };
  BootTimer timer_;
  std::shared_ptr<State> state_;  // the handler may come after us
};

}  // namespace slosonde::io
