// Batches into the tables, and out of them.
#pragma once

#include "probe/store/batch.h"
#include "probe/store/database.h"

namespace slosonde::store {

// Everything that is kept. Instants, slots and numbers are checked to be possible; blobs are their owners' to check.
StoreResult<Batch> load(Database& database);

// All of it in one commit, or nothing.
StoreResult<void> apply(Database& database, const Batch& batch);

// SLIs that no configuration has had for so long, with their counts and alerts.
StoreResult<void> forget_unused(Database& database, Duration kept);

}  // namespace slosonde::store
