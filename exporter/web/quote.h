// Showing what somebody else sent.
#pragma once

#include <string>
#include <string_view>

namespace slosonde::exporter {

// In quotes, at most 100 bytes, everything but printable ASCII as '?': safe in logs, JSON and terminals.
std::string quote(std::string_view text);

// The text with every byte that is not well-formed UTF-8 as U+FFFD; JSON must be UTF-8 (RFC 8259, 8.1).
std::string as_utf8(std::string_view text);

}  // namespace slosonde::exporter
