// A watch at work on the real loop, and what it reports.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <functional>
#include <optional>

#include "checks/watch.h"
#include "probe/io/real.h"
#include "tests/unit/checks/streams.h"

namespace slosonde::checks::test {

class Watching : public testing::Test {
 protected:
  static constexpr Duration kPatience = std::chrono::seconds(20);

  bool turn_until(const std::function<bool()>& condition) {
    const Instant end = io_.now() + kPatience;
    while (!condition()) {
      if (io_.now() > end) return false;
      turn_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  void turn_for(Duration time) {
    boost::asio::co_spawn(io_.executor(), io_.sleep_until(io_.now() + time),
                          [&](const std::exception_ptr&) { io_.stop(); });
    io_.run();
  }

  void start(Watch& watch) {
    boost::asio::co_spawn(io_.executor(), watch.watch(sink_),
                          boost::asio::bind_cancellation_slot(cancel_watch_.slot(),
                                                              [this](const std::exception_ptr& thrown, Error error) {
                                                                ended_ = std::move(error);
                                                                // Asio's way of ending what is not waiting just then.
                                                                if (thrown) ended_ = {ErrorCode::cancelled, "thrown"};
                                                              }));
  }

  void stop_watch() {
    cancel_watch_.emit(boost::asio::cancellation_type::terminal);
    EXPECT_TRUE(turn_until([&] { return ended_.has_value(); }));
    EXPECT_EQ(ended_->code, ErrorCode::cancelled);
    ended_.reset();
  }

  // Whether all up to now is covered, before patience ends.
  bool covered_till_now() {
    const Instant now = io_.now();
    return turn_until([&] { return !sink_.covers.empty() && sink_.covers.back().second >= now; });
  }
  // Whether an instant lies within what was covered in one piece.
  bool is_covered(Instant from, Instant to) const;

  io::Real io_{io::RealOptions{}};
  RememberingSink sink_;
  boost::asio::cancellation_signal cancel_watch_;
  std::optional<Error> ended_;
};

// [from, to] without a hole, whatever the pieces.
inline bool Watching::is_covered(Instant from, Instant to) const {
  for (const auto& [begin, end] : sink_.covers)
    if (begin <= from && from <= end) from = std::max(from, end);
  return from >= to;
}

}  // namespace slosonde::checks::test
