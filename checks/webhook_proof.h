// How the sender of a webhook shows that it may speak. Immutable; any thread.
#pragma once

#include <string>

#include "probe/base/result.h"
#include "probe/base/secret.h"
#include "probe/io/hooks.h"

namespace slosonde::checks {

// A bearer token (`Authorization: Bearer …`), or a signature of the body, HMAC-SHA-256 as hexadecimal digits
// (`X-Slosonde-Signature: sha256=…` or `X-Hub-Signature-256: sha256=…`). With both set either one suffices.
class HookProof {
 public:
  HookProof(Secret token, Secret hmac_key) : token_(std::move(token)), hmac_key_(std::move(hmac_key)) {}

  bool demanded() const { return !token_.empty() || !hmac_key_.empty(); }
  // `unauthorised` with what is missing or wrong; never with what would be right.
  Result<void> check(const io::HookRequest& request) const;

 private:
  bool bears_token(const io::HookRequest& request) const;
  bool is_signed(const io::HookRequest& request) const;

  Secret token_, hmac_key_;
};

}  // namespace slosonde::checks
