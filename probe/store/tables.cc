#include "probe/store/tables.h"

#include <utility>

#include "probe/slo/history.h"

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

// What cannot have been written: arithmetic with it might overflow.
constexpr int64_t kMostInstant = int64_t{1} << 62;  // of the year 2116
constexpr int64_t kMostBlock = kMostInstant / (10'000'000'000 * 60);

tl::unexpected<StoreError> impossible(std::string_view what) {
  return trouble(Trouble::damaged, std::string("it holds ").append(what).append(" that cannot be"));
}

bool is_possible(Instant t) {
  return unix_ns(t) > -kMostInstant && unix_ns(t) < kMostInstant;
}

StoreResult<void> check(const Batch& all) {
  for (const KeptSli& one : all.slis)
    if (!is_possible(one.since) || !is_possible(one.used)) return impossible("an instant");
  for (const KeptSchedule& one : all.schedules)
    if (!is_possible(one.next_slot)) return impossible("a slot");
  for (const KeptAlert& one : all.alerts)
    if (!is_possible(one.state.since) || !is_possible(one.state.last_change)) return impossible("an alert");
  for (const KeptExclusion& one : all.exclusions.value_or(std::vector<KeptExclusion>())) {
    const bool possible = is_possible(one.from) && is_possible(one.to) && is_possible(one.ended.value_or(one.from));
    if (!possible) return impossible("an exclusion");
  }
  for (const KeptSuspension& one : all.suspensions.value_or(std::vector<KeptSuspension>()))
    if (!is_possible(one.since)) return impossible("a suspension");
  for (const KeptCounts& one : all.counts) {
    if (one.slot != slo::kFineSlot && one.slot != slo::kCoarseSlot) return impossible("a length of slots");
    if (one.block < -kMostBlock || one.block > kMostBlock) return impossible("a block's number");
  }
  return {};
}

std::string lines_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + '\n';
  return text;
}

std::vector<std::string> from_lines(std::string_view text) {
  std::vector<std::string> names;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    names.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return names;
}

// The marker's numbers have at most 48 bits.
int64_t number(uint64_t bits) {
  return static_cast<int64_t>(bits);
}

StoreResult<void> load_counts(Database& database, Batch& all) {
  auto done = each_row(database, "SELECT definition, since_ns, used_ns, fine_ns FROM slis ORDER BY id", [&](Row row) {
    all.slis.push_back({std::string(row.bytes(0)), instant(row, 1), instant(row, 2), Duration(row.number(3))});
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
                       "INSERT INTO slis (definition, since_ns, used_ns, fine_ns) VALUES (?1, ?2, ?3, ?4) "
                       "ON CONFLICT (definition) DO UPDATE SET since_ns = ?2, used_ns = ?3, fine_ns = ?4",
                       [](Statement& row, const KeptSli& sli) {
                         row.bind(1, sli.definition).bind(2, unix_ns(sli.since)).bind(3, unix_ns(sli.used));
                         row.bind(4, sli.fine.count());
                       });
  if (!done) return done;
  done = for_each(database, batch.forgotten,
                  "DELETE FROM counts WHERE sli = (SELECT id FROM slis WHERE definition = ?1) AND slot_ns = ?2 AND "
                  "block < ?3",
                  [](Statement& row, const Forgotten& one) {
                    row.bind(1, one.definition).bind(2, one.slot.count()).bind(3, one.before_block);
                  });
  if (!done) return done;
  return for_each(database, batch.counts,
                  "INSERT OR REPLACE INTO counts (sli, slot_ns, block, counts) "
                  "SELECT id, ?2, ?3, ?4 FROM slis WHERE definition = ?1",
                  [](Statement& row, const KeptCounts& one) {
                    row.bind(1, one.definition).bind(2, one.slot.count()).bind(3, one.block).bind_blob(4, one.bytes);
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

// The few there are, written anew when one changes.
StoreResult<void> apply_declared(Database& database, const Batch& batch) {
  if (batch.exclusions) {
    if (auto done = database.execute("DELETE FROM exclusions"); !done) return done;
    std::vector<std::pair<const KeptExclusion*, std::string>> rows;  // with their transactions
    for (const KeptExclusion& one : *batch.exclusions) rows.emplace_back(&one, lines_of(one.transactions));
    auto done = for_each(database, rows, "INSERT INTO exclusions VALUES (?1, ?2, ?3, ?4, nullif(?5, 0))",
                         [](Statement& row, const auto& one) {
                           row.bind(1, one.first->name).bind(2, one.second).bind(3, unix_ns(one.first->from));
                           row.bind(4, unix_ns(one.first->to)).bind(5, unix_ns(one.first->ended.value_or(Instant())));
                         });
    if (!done) return done;
  }
  if (!batch.suspensions) return {};
  if (auto done = database.execute("DELETE FROM suspensions"); !done) return done;
  return for_each(
      database, *batch.suspensions, "INSERT INTO suspensions VALUES (?, ?)",
      [](Statement& row, const KeptSuspension& one) { row.bind(1, one.transaction).bind(2, unix_ns(one.since)); });
}

StoreResult<void> load_declared(Database& database, Batch& all) {
  std::vector<KeptExclusion> exclusions;
  auto done = each_row(database,
                       "SELECT name, transactions, from_ns, to_ns, ended_ns IS NOT NULL, ended_ns FROM "
                       "exclusions ORDER BY from_ns, name",
                       [&](Row row) {
                         KeptExclusion one{std::string(row.bytes(0)), from_lines(row.bytes(1)), instant(row, 2),
                                           instant(row, 3), std::nullopt};
                         if (row.number(4) != 0) one.ended = instant(row, 5);
                         exclusions.push_back(std::move(one));
                       });
  if (!done) return done;
  std::vector<KeptSuspension> suspensions;
  done = each_row(database, "SELECT name, since_ns FROM suspensions ORDER BY name", [&](Row row) {
    suspensions.push_back({std::string(row.bytes(0)), instant(row, 1)});
  });
  if (!exclusions.empty()) all.exclusions = std::move(exclusions);
  if (!suspensions.empty()) all.suspensions = std::move(suspensions);
  return done;
}

StoreResult<void> apply_probe(Database& database, const Batch& batch) {
  std::vector<std::pair<std::string_view, int64_t>> values;
  if (batch.epoch) values.emplace_back("epoch", number(*batch.epoch));
  if (batch.clock) values.emplace_back("boot", number(batch.clock->boot));
  if (batch.clock) values.emplace_back("offset_ns", batch.clock->offset.count());
  return for_each(database, values, "INSERT OR REPLACE INTO probe VALUES (?, ?)",
                  [](Statement& row, const auto& value) { row.bind(1, value.first).bind(2, value.second); });
}

StoreResult<void> load_probe(Database& database, Batch& all) {
  std::optional<uint64_t> boot;
  std::optional<int64_t> offset;
  auto done = each_row(database, "SELECT key, value FROM probe", [&](Row row) {
    if (row.bytes(0) == "epoch") all.epoch = static_cast<uint64_t>(row.number(1));
    if (row.bytes(0) == "boot") boot = static_cast<uint64_t>(row.number(1));
    if (row.bytes(0) == "offset_ns") offset = row.number(1);
  });
  if (boot && offset) all.clock = KeptClock{*boot, Duration(*offset)};
  return done;
}

}  // namespace

StoreResult<Batch> load(Database& database) {
  Batch all;
  StoreResult<void> done;
  for (const auto part : {load_probe, load_counts, load_alerts, load_runs, load_declared}) {
    if (done) done = part(database, all);
  }
  if (done) done = check(all);
  if (!done) return tl::unexpected<StoreError>(std::move(done).error());
  return all;
}

StoreResult<void> apply(Database& database, const Batch& batch) {
  return database.transaction([&]() -> StoreResult<void> {
    if (batch.whole) {
      const char* const clear = "DELETE FROM alerts; DELETE FROM runs; DELETE FROM schedules; DELETE FROM watches";
      if (auto done = database.execute(clear); !done) return done;
    }
    for (const auto part : {apply_probe, apply_counts, apply_alerts, apply_runs, apply_declared}) {
      if (auto done = part(database, batch); !done) return done;
    }
    return {};
  });
}

// Reckoned from the newest of them: a clock that is wrong must not cost everything.
StoreResult<void> forget_unused(Database& database, Duration kept) {
  auto statement = database.prepare("DELETE FROM slis WHERE used_ns < (SELECT max(used_ns) FROM slis) - ?");
  if (!statement) return tl::unexpected<StoreError>(std::move(statement).error());
  return statement->bind(1, kept.count()).run();
}

}  // namespace slosonde::store
