// From a reason to what it means for the check.
#pragma once

#include "checks/check.h"
#include "probe/base/error.h"

namespace slosonde::checks {

// The outcome of a check that ended with this error.
Outcome outcome_of(ErrorCode code);

// What is known of the thing sent when the check ended with this error: nothing left for errors before the connection
// stood, unknown for those after.
Delivery delivery_after(ErrorCode code);

}  // namespace slosonde::checks
