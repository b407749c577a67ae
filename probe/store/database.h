// SQLite, as thin as can be: one connection, prepared statements, errors as values.
//
// The file is in write-ahead mode, synchronised at each commit, and held exclusively: a second process is told that it
// is in use, and no shared memory file is needed.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "probe/store/trouble.h"

namespace slosonde::store {

// One thread at a time. Must end before its database.
class Statement {
 public:
  // Numbered from 1. Texts and blobs must live until the next step() has returned.
  Statement& bind(int index, int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind_blob(int index, std::string_view bytes);

  // True: there is a row. False: done, and the statement may be bound and stepped anew.
  StoreResult<bool> step();
  // For what gives no rows.
  StoreResult<void> run();

  // Of the present row, numbered from 0. A view lives until the next step().
  int64_t number(int column) const;
  std::string_view bytes(int column) const;

 private:
  friend class Database;
  struct Finalise {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalise> statement_;
};

class Database {
 public:
  // Makes the file if there is none. `vfs`: SQLite's name of the file system to use; null for the system's own.
  static StoreResult<Database> open(const std::string& path, const char* vfs = nullptr);

  StoreResult<void> execute(const char* sql);
  StoreResult<Statement> prepare(std::string_view sql);
  StoreResult<int64_t> pragma(const char* sql);  // the first column of the first row; 0 without one

  // Everything `work` does, or nothing. `work` returns StoreResult<void>.
  template <class Work>
  StoreResult<void> transaction(Work work) {
    if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
    StoreResult<void> done = work();
    if (done) done = execute("COMMIT");
    if (!done) (void)execute("ROLLBACK");  // fails where SQLite has rolled back by itself
    return done;
  }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  Database() = default;
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace slosonde::store
