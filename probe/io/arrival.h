// When bytes came, as the kernel knows it: for a loop that comes late to them.
#pragma once

#include "probe/base/time.h"

namespace slosonde::io {

// How long the last bytes of a TCP socket have been there, to the kernel's tick, which is added: at most a few
// milliseconds too much, never too little. 0 for what is no TCP socket. Any thread.
Duration since_last_arrival(int descriptor);

}  // namespace slosonde::io
