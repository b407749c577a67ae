// The declarations of the file's own blocks.
#pragma once

#include "probe/config/block.h"

namespace slosonde::config {

const Block& root_block();
const Block& stage_block();
const Block& finally_block();
const Block& poll_block();
const Block& watch_block();

}  // namespace slosonde::config
