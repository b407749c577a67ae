// Posts one body to one place, within a deadline: enough for the demo's webhook.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "probe/base/result.h"
#include "probe/base/secret.h"
#include "probe/base/time.h"

namespace slosonde::demo {

struct HttpTarget {
  std::string host, port, path;

  // "http://host:port/path"; nothing else is spoken here.
  static Result<HttpTarget> parse(std::string_view url);
};

// The answer's status. Everything outlives the call.
boost::asio::awaitable<Result<int>> http_post(const HttpTarget& target, const Secret& bearer_token,
                                              const std::string& json, Duration patience);

}  // namespace slosonde::demo
