#include "exporter/web/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace slosonde::exporter {
namespace {

tl::unexpected<Error> bad(const std::string& text, const std::string& why) {
  return fail(ErrorCode::bad_config, "\"" + text + "\" is no address to listen on: " + why +
                                         "; write host:port, [v6]:port, :port or unix:/path");
}

Result<Address> unix_address(const std::string& text) {
  Address address;
  address.text = text;
  address.unix_path = text.substr(5);
  sockaddr_un socket{};
  socket.sun_family = AF_UNIX;
  if (address.unix_path.empty()) return bad(text, "the path is missing");
  if (address.unix_path.size() >= sizeof socket.sun_path) {
    return bad(text, "a socket's path may have " + std::to_string(sizeof socket.sun_path - 1) + " bytes");
  }
  std::memcpy(socket.sun_path, address.unix_path.data(), address.unix_path.size());
  std::memcpy(&address.socket, &socket, sizeof socket);
  address.length = sizeof socket;
  return address;
}

Address every_interface(const std::string& text, uint16_t port) {
  Address address;
  address.text = text;
  sockaddr_in6 socket{};
  socket.sin6_family = AF_INET6;
  socket.sin6_addr = in6addr_any;
  socket.sin6_port = htons(port);
  std::memcpy(&address.socket, &socket, sizeof socket);
  address.length = sizeof socket;
  return address;
}

Result<Address> tcp_address(const std::string& text, const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  // localhost needs no name server, and means IPv4 first where both are there.
  const std::string& asked = host == "localhost" ? "127.0.0.1" : host;
  const int code = ::getaddrinfo(asked.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) {
    return fail(ErrorCode::resolve_failed, "\"" + text + "\": the host " + host + " has no address (" +
                                               ::gai_strerror(code) + "); give one of this machine's addresses");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  Address address;
  address.text = text;
  std::memcpy(&address.socket, found->ai_addr, found->ai_addrlen);
  address.length = found->ai_addrlen;
  return address;
}

}  // namespace

bool Address::is_local() const {
  if (is_unix()) return true;
  if (socket.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(socket);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(socket);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return v6.sin6_addr.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
}

Result<Address> parse_address(const std::string& text) {
  if (text.starts_with("unix:")) return unix_address(text);
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return bad(text, "the port is missing");
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || colon + 1 == text.size()) {
    return bad(text, "the port is no number from 0 to 65535");
  }
  std::string host = text.substr(0, colon);
  if (host.empty() || host == "*") return every_interface(text, port);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return bad(text, "an IPv6 address stands in brackets");
  }
  return tcp_address(text, host, port);
}

Result<std::string> bound_address(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return fail(error_from_errno(errno, "getsockname"));
  }
  char host[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
    return std::string(host) + ':' + std::to_string(ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  ::inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
  return '[' + std::string(host) + "]:" + std::to_string(ntohs(v6.sin6_port));
}

}  // namespace slosonde::exporter
