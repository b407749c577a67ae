// Where a listener listens.
#pragma once

#include <sys/socket.h>

#include <string>

#include "probe/base/result.h"

namespace slosonde::exporter {

// A socket address ready to be bound.
struct Address {
  std::string text;       // as configured, for messages
  std::string unix_path;  // empty: TCP
  sockaddr_storage socket{};
  socklen_t length = 0;
  bool is_local = false;  // nobody beyond this host can reach it

  bool is_unix() const { return !unix_path.empty(); }
};

// What config::parse_address takes, with a numeric host or localhost (which is 127.0.0.1): nothing is looked up. Code:
// bad_config.
Result<Address> parse_address(const std::string& text);

// "127.0.0.1:9465", "[::1]:9465" of a bound socket.
Result<std::string> bound_address(int socket);

}  // namespace slosonde::exporter
