// A piece of what a target answered, safe to show.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slosonde::checks {

constexpr size_t kExcerptBytes = 160;

// In quotes, at most `most` bytes: control characters and malformed UTF-8 as '.', and how much was left out.
std::string excerpt(std::string_view text, size_t most = kExcerptBytes);

}  // namespace slosonde::checks
