#include "exporter/web/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "probe/config/network.h"

namespace slosonde::exporter {
namespace {

template <class T>
void put(const T& socket, Address& address) {
  std::memcpy(&address.socket, &socket, sizeof socket);
  address.length = sizeof socket;
}

void put_unix(const std::string& path, Address& address) {
  sockaddr_un socket{};
  socket.sun_family = AF_UNIX;
  std::memcpy(socket.sun_path, path.data(), path.size());  // not longer than fits: see config::parse_address
  address.unix_path = path;
  put(socket, address);
}

bool put_tcp(const std::string& host, uint16_t port, Address& address) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (::inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &v4.sin_addr) == 1) {
    put(v4, address);
    return true;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return false;
  put(v6, address);
  return true;
}

}  // namespace

Result<Address> parse_address(const std::string& text) {
  const auto parsed = config::parse_address(text);
  Address address;
  address.text = text;
  address.is_local = config::is_local(text);
  if (parsed && parsed->is_unix) {
    put_unix(parsed->host, address);
  } else if (!parsed || !put_tcp(parsed->host, parsed->port, address)) {
    return fail(ErrorCode::bad_config, "\"" + text +
                                           "\" is no address to listen on; write host:port with a numeric host or "
                                           "localhost, [v6]:port or unix:/path");
  }
  return address;
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
