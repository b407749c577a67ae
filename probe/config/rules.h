// The rules that span blocks. Each function adds the problems of its own part; parts that are malformed already are
// passed over. Private to this folder.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "probe/config/block.h"
#include "probe/config/builder.h"
#include "probe/config/config.h"
#include "probe/config/values.h"

namespace slosonde::config {

// What the rules look at. Values may be partial: has() says what could be read.
struct Whole {
  const Values& root;
  const Builder& builder;
};

// rules_names.cc
void check_names(const Whole& whole, Problems& problems);
// The names of blocks, as suggestions show them: as they are written in the file.
std::vector<std::string> names_of(const std::vector<Values>& named);
// How messages call a text: as it is written in the file, in `backquotes`. What it stands for may be secret.
std::string called(const Values& values, std::string_view key);

// rules_transactions.cc
void check_transactions(const Whole& whole, Problems& problems);

// rules_evidence.cc: what stages send and capture, and what later ones need of it
void check_evidence(const Whole& whole, Problems& problems);

// rules_slos.cc
void check_slos(const Whole& whole, Problems& problems);

// exclusions.cc
void check_exclusions(const Whole& whole, Problems& problems);

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
// Whether the stage's marker must not appear, so that a good one is never seen.
bool is_never_seen(const Values& stage);

}  // namespace slosonde::config
