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

  bool is_unix() const { return !unix_path.empty(); }
  // Nobody beyond this host can reach it.
  bool is_local() const;
};

// "host:port", "[v6]:port", ":port" (every interface, both families), "unix:/path". A name is looked up, blocking.
// Codes: bad_config, resolve_failed.
Result<Address> parse_address(const std::string& text);

// "127.0.0.1:9465", "[::1]:9465" of a bound socket.
Result<std::string> bound_address(int socket);

}  // namespace slosonde::exporter
