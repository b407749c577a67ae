// A path on the probe's own listener to which a pipeline sends what it has to say: alerts, events, any text.
#pragma once

#include <memory>

#include "checks/watch.h"
#include "probe/base/result.h"
#include "probe/config/block.h"
#include "probe/config/values.h"
#include "probe/io/io.h"

namespace slosonde::checks {

const config::Block& webhook_block();
Result<std::unique_ptr<Watch>> make_webhook(const config::Values& settings, io::Io& io);

}  // namespace slosonde::checks
