// RFC 4648 base32 in lower case, in fields of a fixed width.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace slosonde::ledger {

// The lowest width * 5 bits (at most 64) of `value`, most significant first.
void append_base32(std::string& out, uint64_t value, unsigned width);

// The first width * 5 bits of `bytes`.
void append_base32(std::string& out, std::span<const uint8_t> bytes, unsigned width);

// Nothing when a character is not of the alphabet. At most 12 characters.
std::optional<uint64_t> read_base32(std::string_view text);

bool is_base32(char c);

}  // namespace slosonde::ledger
