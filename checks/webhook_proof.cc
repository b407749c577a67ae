#include "checks/webhook_proof.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace slosonde::checks {
namespace {

constexpr size_t kDigest = 32;
constexpr std::string_view kBearer = "bearer ";
constexpr std::string_view kPrefix = "sha256=";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string hex_hmac(std::string_view key, std::string_view body) {
  std::array<unsigned char, kDigest> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(body.data()),
       body.size(), digest.data(), &size);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

}  // namespace

Result<void> HookProof::check(const io::HookRequest& request) const {
  if (!demanded() || bears_token(request) || is_signed(request)) return {};
  std::string ways;
  if (!token_.empty()) ways = "the bearer token of `token` (Authorization: Bearer …)";
  if (!hmac_key_.empty())
    ways +=
        std::string(ways.empty() ? "" : " or ") + "a signature made with `hmac_key` (X-Slosonde-Signature: sha256=…)";
  return fail(ErrorCode::unauthorised,
              "The webhook " + request.path + " asks for " + ways + ", and this request's is missing or wrong.");
}

bool HookProof::bears_token(const io::HookRequest& request) const {
  if (token_.empty()) return false;
  return std::ranges::any_of(request.headers, [&](const auto& header) {
    const auto& [name, value] = header;
    if (name != "authorization" || value.size() < kBearer.size()) return false;
    const bool bearer = std::equal(kBearer.begin(), kBearer.end(), value.begin(),
                                   [](char wanted, char given) { return wanted == lower(given); });
    return bearer && token_.equals(std::string_view(value).substr(kBearer.size()));
  });
}

bool HookProof::is_signed(const io::HookRequest& request) const {
  if (hmac_key_.empty()) return false;
  std::string wanted;  // computed once, and only for who brings a signature
  return std::ranges::any_of(request.headers, [&](const auto& header) {
    const auto& [name, value] = header;
    if (name != "x-slosonde-signature" && name != "x-hub-signature-256") return false;
    if (!value.starts_with(kPrefix) || value.size() != kPrefix.size() + 2 * kDigest) return false;
    if (wanted.empty()) wanted = hex_hmac(hmac_key_.reveal(), request.body);
    std::string given = value.substr(kPrefix.size());
    std::ranges::transform(given, given.begin(), lower);
    return CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) == 0;
  });
}

}  // namespace slosonde::checks
