// What may be a name of a transaction, an SLO or an exclusion.
#pragma once

#include <string_view>

namespace slosonde::config {

// What survives as a label value, in a URL's path and in a file's name: at most 63 of a-z 0-9 _ . -, beginning with a
// letter or a digit.
bool is_good_name(std::string_view name);

}  // namespace slosonde::config
