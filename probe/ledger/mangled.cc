#include "probe/ledger/mangled.h"

#include <array>

#include "probe/base/ascii.h"

namespace slosonde::ledger {

namespace {

constexpr bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

constexpr std::array<std::string_view, 6> kHyphens = {"%2d", "%252d", "\\u002d", "&#45;", "&#x2d;", "=2d"};
constexpr size_t kMostBackslashes = 4;

}  // namespace

bool MangledReader::starts_with(std::string_view lower_case) const {
  for (size_t i = 0; i < lower_case.size(); ++i) {
    if (ascii_lower(peek(i)) != lower_case[i]) return false;
  }
  return true;
}

bool MangledReader::pass(size_t count) {
  at_ += count;
  skipped_ += count;
  return skipped_ <= kMostSkipped;
}

// The length of what stands for a hyphen here, 0 for none.
size_t MangledReader::hyphen() const {
  for (const std::string_view form : kHyphens) {
    if (starts_with(form)) return form.size();
  }
  return 0;
}

// `\n` as two characters, or more when escaped again.
bool MangledReader::skip_escaped_break() {
  size_t slashes = 0;
  while (slashes < kMostBackslashes && peek(slashes) == '\\') ++slashes;
  if (slashes == 0) return false;
  const char letter = peek(slashes);
  return (letter == 'n' || letter == 'r') && pass(slashes + 1);
}

bool MangledReader::skip_break() {
  const char c = peek(0);
  const bool line_end = c == '\r' || c == '\n';
  const bool soft = c == '=' && (peek(1) == '\r' || peek(1) == '\n');
  if (line_end || soft) {
    if (!pass(1)) return false;
  } else if (starts_with("%0a") || starts_with("%0d")) {
    if (!pass(3)) return false;
  } else if (!skip_escaped_break()) {
    return false;
  }
  while (peek(0) == ' ' || peek(0) == '\t') {
    if (!pass(1)) return false;
  }
  return true;
}

char MangledReader::next() {
  while (true) {
    const char c = ascii_lower(peek(0));
    if (plain(c) || c == '-') {
      ++at_;
      return c;
    }
    if (at_ >= text_.size()) return 0;
    if (const size_t length = hyphen()) {
      at_ += length;
      return '-';
    }
    if (!skip_break()) return 0;
  }
}

}  // namespace slosonde::ledger
