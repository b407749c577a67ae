// One HTTP request and what its answer must be.
#pragma once

#include <memory>

#include "checks/check.h"
#include "probe/base/result.h"
#include "probe/config/block.h"
#include "probe/config/values.h"

namespace slosonde::checks {

const config::Block& http_block();
Result<std::unique_ptr<Check>> make_http(const config::Values& settings, io::Io& io);

}  // namespace slosonde::checks
