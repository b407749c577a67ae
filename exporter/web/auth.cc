#include "exporter/web/auth.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <string>

namespace slosonde::exporter {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

Secret signature_of(std::string_view body, const Secret& key) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  const std::string_view bytes = key.reveal();
  if (!HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()),
            reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest, &length)) {
    return {};
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "sha256=";
  for (unsigned i = 0; i < length; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return Secret(std::move(text));
}

}  // namespace

bool bears_token(const RequestHead& head, const Secret& token) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string* header = head.header("authorization");
  if (!header || token.empty() || header->size() < kScheme.size()) return false;
  const std::string_view value = *header;
  if (!equal_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return false;
  return token.equals(value.substr(kScheme.size()));
}

bool is_signed(const RequestHead& head, std::string_view body, const Secret& key) {
  if (key.empty()) return false;
  const std::string* given = head.header("x-slosonde-signature");
  if (!given) given = head.header("x-hub-signature-256");
  if (!given) return false;
  const Secret right = signature_of(body, key);
  return !right.empty() && right.equals(*given);
}

bool names_host_by_address(const RequestHead& head) {
  const std::string* header = head.header("host");
  if (!header) return true;  // HTTP/1.0: no browser speaks it
  std::string_view host = *header;
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  if (equal_ignoring_case(host, "localhost")) return true;
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace slosonde::exporter
