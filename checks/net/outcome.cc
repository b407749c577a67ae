#include "checks/net/outcome.h"

namespace slosonde::checks {

Outcome outcome_of(ErrorCode code) {
  if (is_own_fault(code)) return Outcome::probe_fault;
  switch (code) {
    case ErrorCode::none:
      return Outcome::held;
    case ErrorCode::timeout:
    case ErrorCode::unconfirmed:
      return Outcome::timed_out;
    case ErrorCode::resolve_failed:
    case ErrorCode::resolve_timeout:
    case ErrorCode::connect_refused:
    case ErrorCode::connect_failed:
    case ErrorCode::connect_timeout:
    case ErrorCode::tls_failed:
    case ErrorCode::tls_certificate:
    case ErrorCode::send_failed:
    case ErrorCode::connection_lost:
      return Outcome::unreachable;
    case ErrorCode::unauthorised:
    case ErrorCode::rejected:
      return Outcome::refused;
    default:
      return Outcome::wrong;
  }
}

Delivery delivery_after(ErrorCode code) {
  switch (code) {
    case ErrorCode::timeout:
    case ErrorCode::send_failed:
    case ErrorCode::connection_lost:
    case ErrorCode::too_large:
    case ErrorCode::malformed:
    case ErrorCode::redirected:
    case ErrorCode::cancelled:
      return Delivery::unknown;
    default:
      return Delivery::none;
  }
}

}  // namespace slosonde::checks
