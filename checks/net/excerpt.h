// A piece of what a target answered, safe to show.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "probe/config/mask.h"

namespace slosonde::checks {

constexpr size_t kExcerptBytes = 160;

// In quotes, at most `most` bytes: control characters and malformed UTF-8 as '.', and how much was left out.
std::string excerpt(std::string_view text, size_t most = kExcerptBytes);
// The same without what `mask` hides; that is masked before anything is cut off, so that no half of it is left.
std::string excerpt(std::string_view text, const config::Mask& mask, size_t most = kExcerptBytes);

}  // namespace slosonde::checks
