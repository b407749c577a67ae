#include "probe/ledger/base32.h"

namespace slosonde::ledger {

namespace {
constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
}  // namespace

bool is_base32(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
}

void append_base32(std::string& out, uint64_t value, unsigned width) {
  for (unsigned i = width; i-- > 0;) {
    const unsigned shift = i * 5;
    out += kAlphabet[shift < 64 ? (value >> shift) & 31 : 0];
  }
}

void append_base32(std::string& out, std::span<const uint8_t> bytes, unsigned width) {
  unsigned bits = 0, held = 0;
  size_t next = 0;
  for (unsigned i = 0; i < width; ++i) {
    if (held < 5) {
      bits = (bits << 8) | (next < bytes.size() ? bytes[next] : 0u);
      ++next;
      held += 8;
    }
    held -= 5;
    out += kAlphabet[(bits >> held) & 31];
    bits &= (1u << held) - 1;
  }
}

std::optional<uint64_t> read_base32(std::string_view text) {
  uint64_t value = 0;
  if (text.size() > 12) return std::nullopt;
  for (const char c : text) {
    if (!is_base32(c)) return std::nullopt;
    value = value << 5 | static_cast<uint64_t>(c >= 'a' ? c - 'a' : c - '2' + 26);
  }
  return value;
}

}  // namespace slosonde::ledger
