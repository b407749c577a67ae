#include "checks/net/header_name.h"

#include <algorithm>
#include <array>
#include <string>

#include "probe/base/ascii.h"

namespace slosonde::checks {

namespace {

template <size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Words between hyphens and underscores.
constexpr std::array<std::string_view, 16> kSecretWords = {
    "authorization", "cookie", "cookie2",   "token",    "secret",    "password",    "passwd", "credential",
    "credentials",   "apikey", "accesskey", "apitoken", "authtoken", "accesstoken", "jwt",    "bearer"};
// What makes a `key` one that opens something; idempotency keys and routing keys do not.
constexpr std::array<std::string_view, 10> kKeysOf = {"api",    "access",       "auth",      "app",     "application",
                                                      "client", "subscription", "functions", "license", "private"};

}  // namespace

bool carries_secret(std::string_view name) {
  std::string word, before;
  for (size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] != '-' && name[i] != '_') {
      word += ascii_lower(name[i]);
      continue;
    }
    if (is_one_of(word, kSecretWords) || (word == "key" && is_one_of(before, kKeysOf))) return true;
    before = std::move(word);
    word.clear();
  }
  return false;
}

}  // namespace slosonde::checks
