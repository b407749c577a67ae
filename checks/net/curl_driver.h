// libcurl's multi interface on the engine's loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "checks/net/curl_transfer.h"
#include "probe/base/result.h"
#include "probe/io/io.h"

namespace slosonde::checks {

// libcurl's sockets are on an epoll descriptor of the driver's own, which the loop watches.
// Engine thread; shared by checks, and ended with the last of them.
class CurlDriver {
 public:
  // The driver for a target. Targets are spread over a few drivers: one multi handle slows down with thousands of kept
  // connections, and one a target would cost three descriptors each. Those with another CA file have their own, since
  // a multi handle caches one.
  static Result<std::shared_ptr<CurlDriver>> shared(io::Io& io, std::string_view origin, std::string_view ca_file);

  ~CurlDriver();
  CurlDriver(const CurlDriver&) = delete;
  CurlDriver& operator=(const CurlDriver&) = delete;

  // Carries out a prepared transfer. False when the waiting coroutine was cancelled; the transfer is free again either
  // way.
  boost::asio::awaitable<bool> perform(CurlTransfer& transfer);

 private:
  struct State;
  struct Guard;

  explicit CurlDriver(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace slosonde::checks
