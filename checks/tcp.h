// Connects, if wanted with TLS, sends and expects bytes.
#pragma once

#include <memory>

#include "checks/check.h"
#include "probe/base/result.h"
#include "probe/config/block.h"
#include "probe/config/values.h"

namespace slosonde::checks {

const config::Block& tcp_block();
Result<std::unique_ptr<Check>> make_tcp(const config::Values& settings, io::Io& io);

}  // namespace slosonde::checks
