// Who a request says it speaks to.
#pragma once

#include "exporter/web/request.h"

namespace slosonde::exporter {

// Host names this machine alone, by address or as localhost. A page in a browser can be made to call a listener on
// loopback under its own name (DNS rebinding), but not under one of these.
bool names_host_by_address(const RequestHead& head);

}  // namespace slosonde::exporter
