// "did you mean X?"
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slosonde::config {

// The closest candidate by edit distance (insert, delete, replace, swap neighbours; upper and lower case are the same),
// if it is close enough to be meant; else empty. Of equally close ones the first.
std::string_view closest(std::string_view word, std::span<const std::string_view> candidates);

// "did you mean `X`?", or else "expected one of a, b, c".
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);
// "a, b, c", cut after 30.
std::string listed(std::span<const std::string_view> candidates);

}  // namespace slosonde::config
