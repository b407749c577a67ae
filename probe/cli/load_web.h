// What `listen.web_config` names, read with the configuration, so that every command finds its mistakes.
#pragma once

#include "probe/cli/load.h"

namespace slosonde::cli {

// Fills `config.listen.web`; nothing to do without `web_config`. The PEM files are tried, too.
tl::expected<void, Mistakes> load_web_config(config::Config& config);

}  // namespace slosonde::cli
