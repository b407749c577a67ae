// The tables of the state file, by version. A file of an older version is brought forward step by step; a newer one is
// refused.
#pragma once

#include <span>

#include "probe/store/database.h"

namespace slosonde::store {

// What a file of ours carries in its header ("SLOS"), so that no other program's database is taken for one.
constexpr int64_t kApplicationId = 0x534C4F53;

// steps[n] makes version n + 1 of version n; version 0 is an empty file.
std::span<const char* const> schema_steps();

// Brings the file to the newest version, all or nothing.
StoreResult<void> migrate(Database& database, std::span<const char* const> steps = schema_steps());

}  // namespace slosonde::store
