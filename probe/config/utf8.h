// UTF-8 as the loader and JSON need it.
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

// A value as messages show it: control characters escaped, cut after 60 characters, in `backquotes`.
std::string quoted(std::string_view text);

}  // namespace slosonde::config
