#include "probe/store/tables.h"

#include <utility>

namespace slosonde::store {

namespace {

// More of one thing than this is no state of ours: a hundred SLOs of 90 days have half a million blocks.
constexpr int64_t kMostRows = 1 << 22;

using Row = const Statement&;

template <class Take>
StoreResult<void> each_row(Database& database, std::string_view sql, Take take) {
  auto statement = database.prepare(sql);
  if (!statement) return tl::unexpected<StoreError>(std::move(statement).error());
  for (int64_t rows = 0;; ++rows) {
    const auto row = statement->step();
    if (!row) return tl::unexpected<StoreError>(row.error());
    if (!*row) return {};
    if (rows == kMostRows) return trouble(Trouble::damaged, "it holds more rows than could ever be");
    take(std::as_const(*statement));
  }
}

template <class Item, class Bind>
StoreResult<void> for_each(Database& database, const std::vector<Item>& items, std::string_view sql, Bind bind) {
  if (items.empty()) return {};
  auto statement = database.prepare(sql);
  if (!statement) return tl::unexpected<StoreError>(std::move(statement).error());
  for (const Item& item : items) {
    bind(*statement, item);
    if (auto done = statement->run(); !done) return done;
  }
  return {};
}

Instant instant(Row row, int column) {
  return instant_from_unix_ns(row.number(column));
}

// The marker's numbers have at most 48 bits.
int64_t number(uint64_t bits) {
  return static_cast<int64_t>(bits);
}

StoreResult<void> load_counts(Database& database, Batch& all) {
  auto done = each_row(database, "SELECT definition, since_ns, used_ns FROM slis ORDER BY id", [&](Row row) {
    all.slis.push_back({std::string(row.bytes(0)), instant(row, 1), instant(row, 2)});
  });
  if (!done) return done;
  // In the order of time: so they are added to a history.
  return each_row(database,
                  "SELECT definition, slot_ns, block, counts FROM counts JOIN slis ON id = sli "
                  "ORDER BY id, slot_ns, block",
                  [&](Row row) {
                    all.counts.push_back(
                        {std::string(row.bytes(0)), Duration(row.number(1)), row.number(2), std::string(row.bytes(3))});
                  });
}

StoreResult<void> load_runs(Database& database, Batch& all) {
  auto done =
      each_row(database, "SELECT stream, epoch, seq, record FROM runs ORDER BY stream, epoch, seq", [&](Row row) {
        const RunKey key{static_cast<uint64_t>(row.number(0)), static_cast<uint64_t>(row.number(1)),
                         static_cast<uint64_t>(row.number(2))};
        all.runs.push_back({key, std::string(row.bytes(3))});
      });
  if (!done) return done;
  done = each_row(database, "SELECT stream, definition, next_slot_ns FROM schedules", [&](Row row) {
    all.schedules.push_back({static_cast<uint64_t>(row.number(0)), std::string(row.bytes(1)), instant(row, 2)});
  });
  if (!done) return done;
  return each_row(database, "SELECT definition, position, coverage FROM watches", [&](Row row) {
    all.watches.push_back({std::string(row.bytes(0)), std::string(row.bytes(1)), std::string(row.bytes(2))});
  });
}

StoreResult<void> load_alerts(Database& database, Batch& all) {
  return each_row(
      database,
      "SELECT definition, slo, tier, active, alerts.since_ns, change_ns, fired FROM alerts "
      "JOIN slis ON id = sli",
      [&](Row row) {
        const slo::AlertState state{row.number(3) != 0, instant(row, 4), instant(row, 5),
                                    static_cast<uint64_t>(row.number(6))};
        all.alerts.push_back({std::string(row.bytes(0)), std::string(row.bytes(1)), std::string(row.bytes(2)), state});
      });
}

StoreResult<void> apply_counts(Database& database, const Batch& batch) {
  auto done = for_each(database, batch.slis,
                       "INSERT INTO slis (definition, since_ns, used_ns) VALUES (?1, ?2, ?3) "
                       "ON CONFLICT (definition) DO UPDATE SET since_ns = ?2, used_ns = ?3",
                       [](Statement& row, const KeptSli& sli) {
                         row.bind(1, sli.definition).bind(2, unix_ns(sli.since)).bind(3, unix_ns(sli.used));
                       });
  if (!done) return done;
  done = for_each(database, batch.counts,
                  "INSERT OR REPLACE INTO counts (sli, slot_ns, block, counts) "
                  "SELECT id, ?2, ?3, ?4 FROM slis WHERE definition = ?1",
                  [](Statement& row, const KeptCounts& one) {
                    row.bind(1, one.definition).bind(2, one.slot.count()).bind(3, one.block).bind_blob(4, one.bytes);
                  });
  if (!done) return done;
  return for_each(database, batch.forgotten,
                  "DELETE FROM counts WHERE sli = (SELECT id FROM slis WHERE definition = ?1) AND slot_ns = ?2 AND "
                  "block < ?3",
                  [](Statement& row, const Forgotten& one) {
                    row.bind(1, one.definition).bind(2, one.slot.count()).bind(3, one.before_block);
                  });
}

StoreResult<void> apply_runs(Database& database, const Batch& batch) {
  std::vector<const KeptRun*> open, closed;
  for (const KeptRun& run : batch.runs) (run.record.empty() ? closed : open).push_back(&run);
  const auto bind_key = [](Statement& row, const RunKey& key) -> Statement& {
    return row.bind(1, number(key.stream)).bind(2, number(key.epoch)).bind(3, number(key.seq));
  };
  auto done = for_each(database, open, "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)",
                       [&](Statement& row, const KeptRun* run) { bind_key(row, run->key).bind_blob(4, run->record); });
  if (!done) return done;
  done = for_each(database, closed, "DELETE FROM runs WHERE stream = ? AND epoch = ? AND seq = ?",
                  [&](Statement& row, const KeptRun* run) { bind_key(row, run->key); });
  if (!done) return done;
  done = for_each(database, batch.schedules, "INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)",
                  [](Statement& row, const KeptSchedule& one) {
                    row.bind(1, number(one.stream)).bind(2, one.definition).bind(3, unix_ns(one.next_slot));
                  });
  if (!done) return done;
  return for_each(database, batch.watches, "INSERT OR REPLACE INTO watches VALUES (?, ?, ?)",
                  [](Statement& row, const KeptWatch& one) {
                    row.bind(1, one.definition).bind_blob(2, one.position).bind_blob(3, one.coverage);
                  });
}

StoreResult<void> apply_alerts(Database& database, const Batch& batch) {
  return for_each(database, batch.alerts,
                  "INSERT OR REPLACE INTO alerts (sli, slo, tier, active, since_ns, change_ns, fired) "
                  "SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM slis WHERE definition = ?1",
                  [](Statement& row, const KeptAlert& one) {
                    row.bind(1, one.definition).bind(2, one.slo).bind(3, one.tier).bind(4, int64_t{one.state.active});
                    row.bind(5, unix_ns(one.state.since)).bind(6, unix_ns(one.state.last_change));
                    row.bind(7, static_cast<int64_t>(one.state.fired));
                  });
}

StoreResult<void> apply_epoch(Database& database, const Batch& batch) {
  if (!batch.epoch) return {};
  auto statement = database.prepare("INSERT OR REPLACE INTO probe VALUES ('epoch', ?)");
  if (!statement) return tl::unexpected<StoreError>(std::move(statement).error());
  return statement->bind(1, number(*batch.epoch)).run();
}

}  // namespace

StoreResult<Batch> load(Database& database) {
  Batch all;
  auto done = each_row(database, "SELECT value FROM probe WHERE key = 'epoch'",
                       [&](Row row) { all.epoch = static_cast<uint64_t>(row.number(0)); });
  for (const auto part : {load_counts, load_alerts, load_runs}) {
    if (done) done = part(database, all);
  }
  if (!done) return tl::unexpected<StoreError>(std::move(done).error());
  return all;
}

StoreResult<void> apply(Database& database, const Batch& batch) {
  return database.transaction([&]() -> StoreResult<void> {
    if (batch.whole) {
      const char* const clear = "DELETE FROM alerts; DELETE FROM runs; DELETE FROM schedules; DELETE FROM watches";
      if (auto done = database.execute(clear); !done) return done;
    }
    for (const auto part : {apply_epoch, apply_counts, apply_alerts, apply_runs}) {
      if (auto done = part(database, batch); !done) return done;
    }
    return {};
  });
}

StoreResult<void> forget_unused(Database& database, Instant before) {
  auto statement = database.prepare("DELETE FROM slis WHERE used_ns < ?");
  if (!statement) return tl::unexpected<StoreError>(std::move(statement).error());
  return statement->bind(1, unix_ns(before)).run();
}

}  // namespace slosonde::store
