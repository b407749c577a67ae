// Names of HTTP headers.
#pragma once

#include <string_view>

namespace slosonde::checks {

// Whether what a header says is a secret, by its name: credentials, cookies, tokens and keys of APIs.
bool carries_secret(std::string_view name);

}  // namespace slosonde::checks
