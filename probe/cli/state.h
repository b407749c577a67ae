// The state file of a configuration, opened for a process that is to keep state.
#pragma once

#include <optional>
#include <string>

#include "probe/base/result.h"
#include "probe/config/config.h"
#include "probe/engine/state_keeper.h"

namespace slosonde::cli {

struct OpenedState {
  engine::StateOptions options;
  std::string begins;   // for the log: what it goes on from
  std::string warning;  // for the log: a damaged file was moved aside, or it cannot be written now; empty: all is well
};

// Nothing where the configuration names no file. Fails where the probe must not start: the file is in use, of a later
// version, or cannot be where it is to be. A disk that is full is none of these: it is tried again and again.
Result<std::optional<OpenedState>> open_state(const config::Config& config);

// Why a process of this user could not begin its state file on this machine, as far as can be told without touching it;
// empty: nothing is in its way.
std::string state_obstacle(const config::Config& config);

}  // namespace slosonde::cli
