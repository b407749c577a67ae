#include "probe/io/connect_error.h"

#include <cerrno>
#include <string>

namespace slosonde::io {

Error connect_error(int number, std::string_view what) {
  const std::string lead = std::string(what) + ": ";
  switch (number) {
    case ECONNREFUSED:
      return {ErrorCode::connect_refused, lead + "connection refused; nothing listens there"};
    case ETIMEDOUT:
      return {ErrorCode::connect_timeout, lead + "no answer to the connection request"};
    case EADDRNOTAVAIL:
      return {ErrorCode::io_failed, lead + "this host has no address or no free port to connect from; too many " +
                                        "connections at once or in TIME-WAIT, see net.ipv4.ip_local_port_range"};
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return error_from_errno(number, what);
    default:
      // A firewall that says no shows as "permission denied": not our side either.
      return {ErrorCode::connect_failed, error_from_errno(number, what).text};
  }
}

}  // namespace slosonde::io
