// The rules that span blocks. Each function adds the problems of its own part; parts that are malformed already are
// passed over. Private to this folder.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "probe/config/block.h"
#include "probe/config/builder.h"
#include "probe/config/config.h"
#include "probe/config/node.h"
#include "probe/config/values.h"

namespace slosonde::config {

// What the rules look at: the values, and the tree for names within parts that are malformed.
struct Whole {
  const Values& root;
  const Node& tree;
  const Builder& builder;
};

// rules_names.cc
void check_names(const Whole& whole, Problems& problems);
std::vector<std::string_view> names_in(const Node* list);

// rules_transactions.cc
void check_transactions(const Whole& whole, Problems& problems);

// rules_evidence.cc: what stages send and capture, and what later ones need of it
void check_evidence(const Whole& whole, Problems& problems);

// rules_slos.cc
void check_slos(const Whole& whole, Problems& problems);

// rules_listeners.cc
void check_probe(const Values& probe, const Source& source, Problems& problems);
void check_listeners(const Values& root, Problems& problems);

// limits.cc: how long after due a stage may last be seen: `within`, and before it the limit of `from`. Nothing when a
// part of that is malformed.
std::optional<Duration> limit_of(const std::vector<Values>& stages, size_t index);
// The longest of them.
Duration longest_limit(const std::vector<Values>& stages);
// The index of the stage that `from` names, if it is an earlier one.
std::optional<size_t> origin_of(const std::vector<Values>& stages, size_t index);
std::optional<size_t> index_of(const std::vector<Values>& named, std::string_view name);

}  // namespace slosonde::config
