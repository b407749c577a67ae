#include "probe/store/schema.h"

#include <array>
#include <string>
#include <utility>

namespace slosonde::store {

namespace {

// Instants in nanoseconds since 1970. Never edited once released: a change is a step of its own.
constexpr const char* kFirst = R"(
CREATE TABLE probe (            -- the process
  key   TEXT PRIMARY KEY,       -- 'epoch', 'boot', 'offset_ns'
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE slis (             -- what is counted, by its definition
  id         INTEGER PRIMARY KEY,
  definition TEXT NOT NULL UNIQUE,
  since_ns   INTEGER NOT NULL,
  used_ns    INTEGER NOT NULL
) STRICT;
CREATE TABLE counts (           -- sixty slots each
  sli     INTEGER NOT NULL REFERENCES slis (id) ON DELETE CASCADE,
  slot_ns INTEGER NOT NULL,
  block   INTEGER NOT NULL,     -- first slot's start / (60 * slot_ns)
  counts  BLOB NOT NULL,
  PRIMARY KEY (sli, slot_ns, block)
) STRICT, WITHOUT ROWID;
CREATE TABLE alerts (
  sli       INTEGER NOT NULL REFERENCES slis (id) ON DELETE CASCADE,
  slo       TEXT NOT NULL,
  tier      TEXT NOT NULL,
  active    INTEGER NOT NULL,
  since_ns  INTEGER NOT NULL,
  change_ns INTEGER NOT NULL,
  fired     INTEGER NOT NULL,
  PRIMARY KEY (sli, slo, tier)
) STRICT, WITHOUT ROWID;
CREATE TABLE runs (             -- those in flight, by their markers' numbers
  stream INTEGER NOT NULL,
  epoch  INTEGER NOT NULL,
  seq    INTEGER NOT NULL,
  record BLOB NOT NULL,
  PRIMARY KEY (stream, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE schedules (        -- up to where the slots of a transaction are started or missed
  stream       INTEGER PRIMARY KEY,
  definition   TEXT NOT NULL,
  next_slot_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE watches (
  definition TEXT PRIMARY KEY,
  position   BLOB NOT NULL,
  coverage   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)";

// From here on a block of counts may have a rare byte, with excluded events told apart: an earlier slosonde would take
// it for damaged.
constexpr const char* kSecond = R"(
CREATE TABLE exclusions (       -- declared to the running probe; by the wall clock
  name         TEXT PRIMARY KEY,
  transactions TEXT NOT NULL,   -- one a line; empty: all
  from_ns      INTEGER NOT NULL,
  to_ns        INTEGER NOT NULL,
  ended_ns     INTEGER          -- before its time
) STRICT, WITHOUT ROWID;
CREATE TABLE suspensions (      -- transactions that start no runs
  name     TEXT PRIMARY KEY,
  since_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)";

constexpr const char* kThird = R"(
ALTER TABLE slis ADD COLUMN fine_ns INTEGER NOT NULL DEFAULT 0;  -- how far before used_ns slots of 10 s reach
)";

constexpr std::array kSteps = {kFirst, kSecond, kThird};

}  // namespace

std::span<const char* const> schema_steps() {
  return kSteps;
}

StoreResult<void> migrate(Database& database, std::span<const char* const> steps) {
  const auto id = database.pragma("PRAGMA application_id");
  if (!id) return tl::unexpected<StoreError>(id.error());
  const auto version = database.pragma("PRAGMA user_version");
  if (!version) return tl::unexpected<StoreError>(version.error());
  if (*version == 0 && *id == 0) {
    const auto tables = database.pragma("SELECT count(*) FROM sqlite_schema");
    if (!tables) return tl::unexpected<StoreError>(tables.error());
    if (*tables > 0) return trouble(Trouble::damaged, "it is a database of another program");
  } else if (*id != kApplicationId) {
    return trouble(Trouble::damaged, "it is a database of another program");
  }
  const auto newest = static_cast<int64_t>(steps.size());
  if (*version > newest) {
    return trouble(Trouble::newer, "it is of version " + std::to_string(*version) + ", and this slosonde knows up to " +
                                       std::to_string(newest) +
                                       "; run the slosonde that wrote it, or name another file");
  }
  if (*version == newest) return {};
  return database.transaction([&]() -> StoreResult<void> {
    for (int64_t at = *version; at < newest; ++at) {
      if (auto done = database.execute(steps[static_cast<size_t>(at)]); !done) return done;
    }
    const std::string mark = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                             "; PRAGMA user_version = " + std::to_string(newest);
    return database.execute(mark.c_str());
  });
}

}  // namespace slosonde::store
