#include "probe/io/hook_proof.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "probe/base/ascii.h"

namespace slosonde::io {
namespace {

constexpr std::string_view kScheme = "bearer ";
constexpr std::string_view kPrefix = "sha256=";

// Empty where the library fails: equal to nothing.
Secret signature_of(std::string_view body, const Secret& key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const std::string_view bytes = key.reveal();
  if (!HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()),
            reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &size)) {
    return {};
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kPrefix);
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return Secret(std::move(text));
}

}  // namespace

bool bears_token(const HookHeaders& headers, const Secret& token) {
  if (token.empty()) return false;
  return std::ranges::any_of(headers, [&](const auto& header) {
    const auto& [name, value] = header;
    const std::string_view text = value;
    return name == "authorization" && same_ignoring_case(text.substr(0, kScheme.size()), kScheme) &&
           token.equals(text.substr(kScheme.size()));
  });
}

bool HookProof::holds(const HookHeaders& headers, std::string_view body) const {
  return !demanded() || bears_token(headers) || is_signed(headers, body);
}

std::string HookProof::ways() const {
  std::string ways;
  if (!token_.empty()) ways = "a bearer token (Authorization: Bearer …)";
  if (hmac_key_.empty()) return ways;
  if (!ways.empty()) ways += " or ";
  return ways + "a signature of the body (X-Slosonde-Signature: sha256=…)";
}

HookHeaders HookProof::shown_for(std::string_view body) const {
  HookHeaders headers;
  if (!token_.empty()) headers.emplace_back("authorization", "Bearer " + std::string(token_.reveal()));
  if (!hmac_key_.empty()) headers.emplace_back("x-slosonde-signature", signature_of(body, hmac_key_).reveal());
  return headers;
}

bool HookProof::is_signed(const HookHeaders& headers, std::string_view body) const {
  if (hmac_key_.empty()) return false;
  Secret wanted;  // computed once, and only for who brings a signature
  return std::ranges::any_of(headers, [&](const auto& header) {
    const auto& [name, value] = header;
    if (name != "x-slosonde-signature" && name != "x-hub-signature-256") return false;
    if (!value.starts_with(kPrefix)) return false;
    if (wanted.empty()) wanted = signature_of(body, hmac_key_);
    std::string given = value;
    std::ranges::transform(given, given.begin(), ascii_lower);
    return !wanted.empty() && wanted.equals(given);
  });
}

}  // namespace slosonde::io
