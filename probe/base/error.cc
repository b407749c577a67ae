#include "probe/base/error.h"

#include <array>
#include <cerrno>
#include <system_error>

namespace slosonde {
namespace {

constexpr std::array<std::string_view, kErrorCodes> kNames = {"none",
                                                              "bad_config",
                                                              "resolve_failed",
                                                              "resolve_timeout",
                                                              "connect_refused",
                                                              "connect_failed",
                                                              "connect_timeout",
                                                              "tls_failed",
                                                              "tls_certificate",
                                                              "send_failed",
                                                              "timeout",
                                                              "connection_lost",
                                                              "too_large",
                                                              "malformed",
                                                              "unauthorised",
                                                              "wrong_status",
                                                              "wrong_header",
                                                              "wrong_body",
                                                              "no_marker",
                                                              "redirected",
                                                              "rejected",
                                                              "unconfirmed",
                                                              "duplicated",
                                                              "unexpected",
                                                              "no_descriptors",
                                                              "no_memory",
                                                              "denied",
                                                              "io_failed",
                                                              "busy",
                                                              "cancelled",
                                                              "internal"};

ErrorCode code_from_errno(int number) {
  switch (number) {
    case EMFILE:
    case ENFILE:
      return ErrorCode::no_descriptors;
    case ENOMEM:
    case ENOBUFS:
      return ErrorCode::no_memory;
    case EACCES:
    case EPERM:
      return ErrorCode::denied;
    case ECONNREFUSED:
      return ErrorCode::connect_refused;
    case ETIMEDOUT:
      return ErrorCode::connect_timeout;
    case ENETUNREACH:
    case EHOSTUNREACH:
      return ErrorCode::connect_failed;
    case ECONNRESET:
    case EPIPE:
      return ErrorCode::connection_lost;
    default:
      return ErrorCode::io_failed;
  }
}

}  // namespace

std::string_view name(ErrorCode code) {
  return kNames[static_cast<size_t>(code)];
}

Error error_from_errno(int number, std::string_view what) {
  return {code_from_errno(number), std::string(what) + ": " + std::generic_category().message(number)};
}

}  // namespace slosonde
