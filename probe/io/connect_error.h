// What a connection that was not made says of the target, and what of ourselves.
#pragma once

#include <string_view>

#include "probe/base/error.h"

namespace slosonde::io {

// From the errno of connect(2), with `what` leading the sentence. Ours: descriptors, memory, and a local address or
// port to connect from. Anything else is the target's or the way's: connect_refused, connect_timeout, connect_failed.
Error connect_error(int number, std::string_view what);

}  // namespace slosonde::io
