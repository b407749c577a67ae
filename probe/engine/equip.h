// From the configuration to what the service works with.
#pragma once

#include <span>

#include "checks/kind.h"
#include "probe/config/config.h"
#include "probe/engine/plan.h"
#include "probe/engine/service.h"
#include "probe/io/io.h"

namespace slosonde::engine {

// The configuration as the core takes it. Stages that watch the same place (equal kind and settings) share one watch.
Plan plan_from(const config::Config& config);

// The plan with its checks and watches, made from the kinds; every one that cannot be made is a problem with its place
// in the file. Watches of equal kind and settings are taken from `before`, if that is given. Engine thread; `kinds` and
// `io` outlive what is made.
tl::expected<Equipment, config::Problems> equip(const config::Config& config, std::span<const checks::Kind> kinds,
                                                io::Io& io, const Equipment* before = nullptr);

}  // namespace slosonde::engine
