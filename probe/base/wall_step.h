// What counts as a step of the wall clock.
#pragma once

#include <chrono>

#include "probe/base/time.h"

namespace slosonde {

// While the probe runs, or between two processes; less is adjustment.
constexpr Duration kWallStep = std::chrono::milliseconds(500);

}  // namespace slosonde
