// YAML text to a tree, through yaml-cpp's events: its own tree keeps duplicate keys and multiplies aliases.
#pragma once

#include <optional>
#include <string_view>

#include "probe/config/block.h"
#include "probe/config/node.h"

namespace slosonde::config {

// Nothing, with at least one problem added, when the text is no YAML at all; else the tree, with the parts that were
// refused (anchors, aliases, tags, duplicate keys) added as problems. Time and memory are bounded for any text.
std::optional<TreeNode> read_yaml(std::string_view text, Problems& problems);

}  // namespace slosonde::config
