// What the schema and the reference page both say of a key. Private to this folder.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "probe/config/block.h"

namespace slosonde::config {

// "1ms to 1d", "at most 16 entries"; empty without limits.
std::string range_text(const Key& key);

// The default as the loader would fill it in; nothing without one.
std::optional<boost::json::value> default_of(const Block& block, const Key& key);

}  // namespace slosonde::config
