// Texts, character by character.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slosonde::config {

// The length of the well-formed character at the start of `text` (no overlong forms, no surrogates, at most U+10FFFF);
// 0 when it is none. `text` must not be empty.
size_t utf8_length(std::string_view text);

// How many characters (not bytes) `text` has; every malformed byte counts as one.
size_t characters(std::string_view text);

// Letters, digits and _, not beginning with a digit.
bool is_identifier(std::string_view text);

// For terminals and logs: control characters and malformed bytes escaped, cut with … after `most` characters.
std::string printable(std::string_view text, size_t most);

// A value as messages show it: printable, at most 60 characters, in `backquotes`.
std::string quoted(std::string_view text);

}  // namespace slosonde::config
