// What the catalog says of each kind.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "checks/check.h"
#include "checks/watch.h"
#include "probe/base/result.h"
#include "probe/config/block.h"
#include "probe/config/values.h"

namespace slosonde::checks {

struct Kind {
  std::string_view name;  // its key in the configuration
  std::string_view help;  // one line, for the README's table and the reference
  // The settings of a check and of a watch of this kind; nullptr: not offered.
  const config::Block& (*check_block)() = nullptr;
  const config::Block& (*watch_block)() = nullptr;
  // Called at start and reload, on the engine thread, with values that hold by their declaration. An error names what
  // could not be prepared (a CA file that does not read). The Io outlives what is made.
  Result<std::unique_ptr<Check>> (*check)(const config::Values& settings, io::Io& io) = nullptr;
  Result<std::unique_ptr<Watch>> (*watch)(const config::Values& settings, io::Io& io) = nullptr;
};

}  // namespace slosonde::checks
