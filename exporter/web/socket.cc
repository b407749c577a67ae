#include "exporter/web/socket.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace slosonde::exporter {
namespace {

// Closes unless released.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

const sockaddr* as_sockaddr(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address.socket);
}

Error bind_error(int number, const Address& address, std::string_view role) {
  const std::string place = std::string(role) + " address " + address.text;
  switch (number) {
    case EADDRINUSE:
      return {ErrorCode::busy, place + " is in use by another program; stop that one or choose another address"};
    case EACCES:
    case EPERM:
      return {ErrorCode::denied,
              place + ": no permission" +
                  (address.is_unix() ? " to make the socket there" : "; ports below 1024 need CAP_NET_BIND_SERVICE")};
    case EADDRNOTAVAIL:
      return {ErrorCode::bad_config, place + ": no interface of this machine has that address"};
    case ENOENT:
    case ENOTDIR:
      return {ErrorCode::bad_config, place + ": its folder does not exist"};
    default:
      return error_from_errno(number, place);
  }
}

// Whether the path is free to be bound: nothing there, or a socket whose process has ended, which is removed.
Result<void> clear_path(const Address& address, std::string_view role) {
  struct stat status {};
  if (::lstat(address.unix_path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail(ErrorCode::bad_config, std::string(role) + " address " + address.text +
                                           ": there is a file at that path that is no socket; remove it or choose "
                                           "another path");
  }
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (probe.get() < 0) return fail(error_from_errno(errno, std::string(role) + " address " + address.text));
  if (::connect(probe.get(), as_sockaddr(address), address.length) == 0 || errno != ECONNREFUSED) {
    return fail(bind_error(errno == EACCES ? EACCES : EADDRINUSE, address, role));
  }
  if (::unlink(address.unix_path.c_str()) != 0 && errno != ENOENT) return fail(bind_error(errno, address, role));
  return {};
}

Result<int> open_and_bind(const Address& address, std::string_view role) {
  const int family = address.socket.ss_family;
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return fail(bind_error(errno, address, role));
  const int on = 1;
  const int off = 0;
  // After a restart, connections of the old process in TIME_WAIT must not keep us from the port.
  if (!address.is_unix()) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(socket.get(), as_sockaddr(address), address.length) != 0) return fail(bind_error(errno, address, role));
  // Before listen(), so that nobody can connect under a wider mode.
  if (address.is_unix() && ::chmod(address.unix_path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0) {
    return fail(bind_error(errno, address, role));
  }
  return socket.release();
}

// Every interface on a machine without IPv6: IPv4's.
Address as_v4_any(const Address& address) {
  Address v4 = address;
  sockaddr_in socket{};
  socket.sin_family = AF_INET;
  socket.sin_port = reinterpret_cast<const sockaddr_in6&>(address.socket).sin6_port;
  v4.socket = {};
  reinterpret_cast<sockaddr_in&>(v4.socket) = socket;
  v4.length = sizeof socket;
  return v4;
}

bool is_every_interface(const Address& address) {
  return address.socket.ss_family == AF_INET6 &&
         IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(address.socket).sin6_addr);
}

}  // namespace

Result<int> bind_socket(const Address& address, std::string_view role) {
  if (address.is_unix()) {
    const auto clear = clear_path(address, role);
    if (!clear) return fail(clear.error());
  }
  if (is_every_interface(address)) {
    const int probe = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0 && errno == EAFNOSUPPORT) return open_and_bind(as_v4_any(address), role);
    if (probe >= 0) ::close(probe);
  }
  return open_and_bind(address, role);
}

unsigned long socket_file_inode(const Address& address) {
  struct stat status {};
  if (!address.is_unix() || ::lstat(address.unix_path.c_str(), &status) != 0) return 0;
  return status.st_ino;
}

void remove_socket_file(const Address& address, unsigned long inode) {
  if (inode != 0 && socket_file_inode(address) == inode) ::unlink(address.unix_path.c_str());
}

}  // namespace slosonde::exporter
