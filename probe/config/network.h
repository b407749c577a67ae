// URLs and addresses as the configuration takes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probe/config/rule.h"

namespace slosonde::config {

struct HostPort {
  std::string host;  // without brackets; a path when is_unix
  uint16_t port = 0;
  bool is_unix = false;
};

// "host:port", "[v6]:port" or "unix:/path"; nothing when it is none of them.
std::optional<HostPort> parse_address(std::string_view text);

// 127.0.0.0/8, ::1 and "localhost". Other names may lead anywhere.
bool is_loopback_host(std::string_view host);
bool is_numeric_host(std::string_view host);

// Whether only this machine can reach a listener there: loopback, or a unix socket.
bool is_local(std::string_view address);

struct UrlMistake {
  Rule rule;
  std::string message;
};

// http:// or https:// and a host, no credentials; {{placeholders}} only after the host. Nothing when that holds.
std::optional<UrlMistake> check_url(std::string_view url);

}  // namespace slosonde::config
