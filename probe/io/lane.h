// The blocking lane: a few threads for calls that cannot be made to wait on the engine thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "probe/base/result.h"
#include "probe/io/boot_clock.h"

namespace slosonde::io {

// Threads are started when there is work for them and then kept. Engine thread, but for refused().
class Lane {
 public:
  Lane(boost::asio::io_context& context, unsigned threads, size_t queue);
  // Waits for work that is under way, at most kPatience; a thread that still hangs then is left to itself.
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  boost::asio::awaitable<Result<void>> run(std::function<void()> work, BootClock::time_point deadline);
  uint64_t refused() const;  // any thread: how often the queue was full

  static constexpr Duration kPatience = std::chrono::seconds(5);

 private:
  struct Shared;
  boost::asio::io_context& context_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace slosonde::io
