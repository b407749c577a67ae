#include "probe/store/database.h"

#include <utility>

namespace slosonde::store {

namespace {

constexpr int kMostBytes = 16 * 1024 * 1024;  // of one value or statement; a longer one is no state of ours

Trouble trouble_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR:  // the schema is not what we wrote: no such table, no such column
    case SQLITE_CONSTRAINT:
      return Trouble::damaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Trouble::in_use;
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Trouble::denied;
    default:
      return Trouble::unable;
  }
}

tl::unexpected<StoreError> failure(sqlite3* connection, int code, std::string_view doing) {
  std::string text(doing);
  text.append(": ").append(connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code));
  return trouble(trouble_of(code), std::move(text));
}

}  // namespace

Statement& Statement::bind(int index, int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), index, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

StoreResult<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3* const connection = sqlite3_db_handle(statement_.get());
  StoreResult<bool> result = false;
  if (code != SQLITE_DONE) result = failure(connection, code, "its statement failed");
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  return result;
}

StoreResult<void> Statement::run() {
  const auto stepped = step();
  if (!stepped) return tl::unexpected<StoreError>(stepped.error());
  return {};
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

StoreResult<Database> Database::open(const std::string& path, const char* vfs) {
  Database made;
  sqlite3* raw = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &raw, kFlags, vfs);
  made.connection_.reset(raw);
  if (code != SQLITE_OK) return failure(raw, code, "it cannot be opened");
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kMostBytes);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // Exclusive before write-ahead: then the index of the log is in our memory, and none but us may open the file.
  const char* const settings =
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      "PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -512; PRAGMA temp_store = MEMORY;"
      "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON";
  if (auto set = made.execute(settings); !set) return tl::unexpected<StoreError>(std::move(set).error());
  return made;
}

StoreResult<void> Database::execute(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(connection_.get(), code, "it cannot be worked with");
  return {};
}

StoreResult<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  Statement made(raw);
  if (code != SQLITE_OK) return failure(connection_.get(), code, "it is not as we wrote it");
  return made;
}

StoreResult<int64_t> Database::pragma(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return tl::unexpected<StoreError>(std::move(statement).error());
  const auto row = statement->step();
  if (!row) return tl::unexpected<StoreError>(row.error());
  return *row ? statement->number(0) : 0;
}

}  // namespace slosonde::store
