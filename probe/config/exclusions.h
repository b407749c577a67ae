// Declared maintenance windows: from their blocks to typed values.
#pragma once

#include <optional>

#include "probe/config/block.h"
#include "probe/config/config.h"
#include "probe/config/values.h"

namespace slosonde::config {

// Longer ones are no maintenance: the transaction is better taken out, or suspended.
constexpr Duration kLongestExclusion = std::chrono::hours(24 * 31);
constexpr std::string_view kLongestExclusionText = "31d";

// When it is. Nothing where its block says that wrongly, with a problem added.
std::optional<slo::Window> window_of(const Values& exclusion, Problems& problems);

}  // namespace slosonde::config
