// The state file: opened, checked, brought forward, read; and moved aside when it is damaged.
//
// Everything here blocks. One thread at a time: the one that starts up, afterwards the writer's (writer.h).
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "probe/store/batch.h"
#include "probe/store/database.h"

namespace slosonde::store {

// Counts of an SLI that no configuration has had for so long are forgotten: longer than any SLO's window.
constexpr Duration kUnusedKept = std::chrono::hours(24) * 100;

struct StateFileOptions {
  std::string path;
  const char* vfs = nullptr;  // SQLite's name of the file system; null: the system's, and files are renamed there
};

class StateFile {
 public:
  // Makes the file if there is none, readable by its owner alone. One that is damaged, or is no state of ours, is moved
  // aside first. Fails with what cannot be mended here: in_use, newer, denied, unable. `now` names what is moved aside.
  static StoreResult<StateFile> open(StateFileOptions options, Instant now);

  // What was in it when it was opened.
  Batch take_loaded() { return std::exchange(loaded_, {}); }

  // Where the damaged file lies now, and what was wrong with it.
  struct Aside {
    std::string path, why;
  };
  const std::optional<Aside>& moved_aside() const { return aside_; }

  // Moves what is there aside, and begins an empty file.
  StoreResult<void> begin_anew(Instant now, const std::string& why);

  // All or nothing: after an error the file holds what it held before. Fails (unable) while the file is not at its
  // path: somebody has moved or removed it, and what is written to it nobody would find. Put back, it is gone on with.
  // None is begun in its place: SQLite would take the log of the one for the other's, and delete what is in it.
  StoreResult<void> commit(const Batch& batch);

 private:
  explicit StateFile(StateFileOptions options) : options_(std::move(options)) {}
  StoreResult<void> make();
  StoreResult<void> open_and_load();
  StoreResult<void> move_aside(Instant now, const std::string& why);
  StoreResult<void> is_at_its_path() const;

  struct Identity {
    uint64_t device = 0, number = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  static std::optional<Identity> identity(const std::string& path);

  StateFileOptions options_;
  std::optional<Identity> identity_;  // of the file that is open; none: of another file system
  std::optional<Database> database_;
  Batch loaded_;
  std::optional<Aside> aside_;
};

}  // namespace slosonde::store
