// gzip of a whole text, for answers to clients that ask for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slosonde::exporter {

// Nothing when zlib has no memory: send the text as it is.
std::optional<std::string> gzip(std::string_view text);

}  // namespace slosonde::exporter
