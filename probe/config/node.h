// The file as a tree of texts with their positions: what stands between YAML and the typed values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "probe/config/block.h"

namespace slosonde::config {

struct Member;

struct TreeNode {
  enum class Kind : uint8_t {
    null,
    scalar,
    sequence,
    map,
    refused,  // already complained about: whoever reads it says nothing more
  };

  Kind kind = Kind::null;
  bool plain = true;  // a scalar without quotes
  Position position;
  std::string text;             // a scalar's
  std::vector<TreeNode> items;  // a sequence's
  std::vector<Member> members;  // a map's, in file order; every key once

  const TreeNode* find(std::string_view key) const;
};

struct Member {
  std::string key;
  Position key_position;
  TreeNode value;
};

}  // namespace slosonde::config
