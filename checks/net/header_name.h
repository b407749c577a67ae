// Names of HTTP headers.
#pragma once

#include <string_view>

namespace slosonde::checks {

bool same_name(std::string_view a, std::string_view b);

// Whether what a header says is a secret, by its name: credentials, cookies, tokens and keys of APIs.
bool carries_secret(std::string_view name);

}  // namespace slosonde::checks
