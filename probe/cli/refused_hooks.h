// What a lost webhook stage may owe to calls that the probe itself refused.
#pragma once

#include <string>
#include <vector>

#include "exporter/web/trouble.h"
#include "probe/cli/run_view.h"
#include "probe/config/config.h"

namespace slosonde::cli {

// A sentence for each webhook stage of these runs that was lost or is unseen while calls of its path, or of a path that
// nobody listens on, were refused.
std::vector<std::string> refused_hooks(const config::Config& config, const std::vector<RunView>& runs,
                                       const std::vector<exporter::RefusedCalls>& calls);

}  // namespace slosonde::cli
