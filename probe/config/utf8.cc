#include "probe/config/utf8.h"

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

std::string quoted(std::string_view text) {
  constexpr size_t kShown = 60;
  std::string shown = "`";
  for (size_t count = 0; !text.empty(); ++count) {
    if (count == kShown) {
      shown += "…";
      break;
    }
    const size_t length = utf8_length(text);
    const unsigned char first = byte(text, 0);
    if (length == 0 || first < 0x20 || first == 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02X", first);
      shown += first == '\n' ? "\\n" : first == '\t' ? "\\t" : escape.data();
    } else {
      shown += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return shown + '`';
}

}  // namespace slosonde::config
