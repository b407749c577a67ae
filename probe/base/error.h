// What went wrong, as a value. Expected failures are returned; nothing of ours is thrown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slosonde {

// The closed set of reasons. Their names are label values of slosonde_stage_failures_total and part of the contract.
enum class ErrorCode : uint8_t {
  none,
  bad_config,       // the configuration cannot mean this
  resolve_failed,   // the name server said no, or the name has no address of the wanted family
  resolve_timeout,  // the name server did not answer in time
  connect_refused,  // nothing listens there
  connect_failed,   // unreachable, reset while connecting, or the proxy would not
  connect_timeout,  // no answer to the connection request
  tls_failed,       // the handshake broke off
  tls_certificate,  // the certificate is not acceptable (expired, other name, unknown issuer)
  send_failed,      // the connection broke while we were sending
  timeout,          // connected, but no complete answer in time
  connection_lost,  // the connection broke before the answer was complete
  too_large,        // the answer is over the limit
  malformed,        // the answer is not what the protocol says
  unauthorised,     // the credentials were not accepted
  wrong_status,     // an answer, but another status than expected
  wrong_header,     // … another header
  wrong_body,       // … another body
  no_marker,        // an answer, but the run's marker is not in it
  redirected,       // a redirect the policy does not allow, or too many of them
  rejected,         // the broker or server refused this message
  unconfirmed,      // sent, and no acknowledgement came in time
  duplicated,       // seen a second time where once was expected
  unexpected,       // seen where it must not appear
  no_descriptors,   // our own: out of file descriptors
  no_memory,        // our own: out of memory
  denied,           // our own: no permission (file, port)
  io_failed,        // our own: a file or socket of ours failed
  busy,             // our own: a queue or lane is full
  cancelled,        // we asked it to stop
  internal,         // a mistake in slosonde
};

constexpr int kErrorCodes = static_cast<int>(ErrorCode::internal) + 1;

// "connect_refused"
std::string_view name(ErrorCode code);

// Whether the fault lies with the probe itself (descriptors, memory, permissions), never with the target.
constexpr bool is_own_fault(ErrorCode code) {
  return code >= ErrorCode::no_descriptors;
}

struct Error {
  ErrorCode code = ErrorCode::none;
  std::string text;  // a sentence for people: what was wrong, where, and what to do; never a secret

  explicit operator bool() const { return code != ErrorCode::none; }
  friend bool operator==(const Error&, const Error&) = default;
};

// From errno: EMFILE, EACCES, ECONNREFUSED and so on; `what` leads the sentence.
Error error_from_errno(int number, std::string_view what);

}  // namespace slosonde
