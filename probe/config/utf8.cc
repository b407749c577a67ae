#include "probe/config/utf8.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace slosonde::config {
namespace {

unsigned char byte(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// RFC 3629, section 4: the allowed range of the second byte depends on the first.
bool second_byte_fits(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return second >= 0x80 && second <= 0xBF;
  }
}

}  // namespace

size_t utf8_length(std::string_view text) {
  const unsigned char first = byte(text, 0);
  if (first < 0x80) return 1;
  size_t length = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  if (first >= 0xE0 && first <= 0xEF) length = 3;
  if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (length == 0 || text.size() < length || !second_byte_fits(first, byte(text, 1))) return 0;
  for (size_t i = 2; i < length; ++i)
    if (byte(text, i) < 0x80 || byte(text, i) > 0xBF) return 0;
  return length;
}

size_t characters(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    text.remove_prefix(length == 0 ? 1 : length);
    ++count;
  }
  return count;
}

bool is_identifier(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [](char c) { return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  if (text.empty() || is_digit(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return is_digit(c) || is_letter(c); });
}

std::string printable(std::string_view text, size_t most) {
  std::string shown;
  for (size_t count = 0; !text.empty(); ++count) {
    if (count == most) return shown + "…";
    const size_t length = utf8_length(text);
    const unsigned char first = byte(text, 0);
    if (length == 0 || first < 0x20 || first == 0x7F || (length == 2 && first == 0xC2 && byte(text, 1) < 0xA0)) {
      // The C1 controls, U+0080 to U+009F, are known by their second byte.
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02X", byte(text, length == 2 ? 1 : 0));
      shown += first == '\n' ? "\\n" : first == '\t' ? "\\t" : escape.data();
    } else {
      shown += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return shown;
}

std::string quoted(std::string_view text) {
  constexpr size_t kShown = 60;
  return '`' + printable(text, kShown) + '`';
}

}  // namespace slosonde::config
