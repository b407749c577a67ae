// How the sender of a webhook shows that it may speak. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>

#include "probe/base/secret.h"
#include "probe/io/hooks.h"

namespace slosonde::io {

// `Authorization: Bearer <token>`; never for an empty token. Compares in a time that depends on the lengths only.
bool bears_token(const HookHeaders& headers, const Secret& token);

// A bearer token, or a signature of the body: HMAC-SHA-256 (RFC 2104) as hexadecimal digits, in
// `X-Slosonde-Signature: sha256=…` or `X-Hub-Signature-256: sha256=…`. With both set either one suffices.
class HookProof {
 public:
  HookProof(Secret token, Secret hmac_key) : token_(std::move(token)), hmac_key_(std::move(hmac_key)) {}

  bool demanded() const { return !token_.empty() || !hmac_key_.empty(); }
  // Whether the headers alone decide: nothing but a token is taken.
  bool by_headers_alone() const { return !token_.empty() && hmac_key_.empty(); }
  bool bears_token(const HookHeaders& headers) const { return io::bears_token(headers, token_); }
  // True as well when nothing is demanded.
  bool holds(const HookHeaders& headers, std::string_view body) const;
  // What is demanded, in words: "a bearer token (…) or a signature of the body (…)".
  std::string ways() const;
  // What shows a body of our own, for who may see our secrets: those that are set.
  HookHeaders shown_for(std::string_view body) const;

 private:
  bool is_signed(const HookHeaders& headers, std::string_view body) const;

  Secret token_, hmac_key_;
};

}  // namespace slosonde::io
