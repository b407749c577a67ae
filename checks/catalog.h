// Every kind there is. A new kind is one line in catalog.cc.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "checks/kind.h"

namespace slosonde::checks {

std::span<const Kind> catalog();
const Kind* find_kind(std::string_view name);

// The catalog as the configuration loader takes it.
std::vector<config::NamedBlock> named_blocks();

}  // namespace slosonde::checks
