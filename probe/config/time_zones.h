// The system's time zones (tzdata), as plain data.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probe/slo/zone.h"

namespace slosonde::config {

// All names there are, sorted; none where the system has no time zones.
const std::vector<std::string>& zone_names();

// Null: there is none of that name, or it cannot be read. Its offsets reach from 2000 to as far as the system's data
// do (Debian: 2037); later, the last one holds. Reads files; safe on any thread.
std::shared_ptr<const slo::Zone> find_zone(std::string_view name);

}  // namespace slosonde::config
