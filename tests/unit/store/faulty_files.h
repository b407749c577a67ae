// A file system in memory, for SQLite, that fails when told to: what is written is safe only once it was synchronised.
#pragma once

#include <sqlite3.h>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace slosonde::store {

enum class Fault : uint8_t {
  none,
  full,       // from the operation on, nothing can be written any more: SQLITE_FULL
  read_only,  // likewise, as a file system remounted read-only does it: SQLITE_IOERR_WRITE
  once,       // this operation fails, those after it do not
  power_cut,  // from the operation on, nothing happens any more
  held,       // the operation, and those after it, wait until there is another fault or none
};

// Registers itself as an SQLite VFS while it lives. Any thread.
class FaultyFiles {
 public:
  FaultyFiles();
  ~FaultyFiles();
  FaultyFiles(const FaultyFiles&) = delete;
  FaultyFiles& operator=(const FaultyFiles&) = delete;

  const char* name() const { return name_.c_str(); }

  // The `nth` operation that changes a file from now on (1: the next one) meets the fault.
  void fail_at(int64_t nth, Fault fault);
  void heal();
  // Operations that changed files, or were to, since fail_at() or the beginning.
  int64_t operations() const;
  // One waits, by Fault::held.
  bool held() const;

  // After a power cut: of the writes not yet synchronised each sector has, or has not, reached the disk. Every file
  // must be closed.
  void come_back(std::mt19937_64& random);
  // Another disk with what is read of this one now.
  void copy_to(FaultyFiles& other) const;

  // For damage: the bytes of a file, to be changed while it is closed.
  std::string& bytes(const std::string& path);

  // As SQLite's methods call it.
  struct Change {
    int64_t offset = 0;  // of a write
    std::string bytes;   // empty: a truncation to `offset`
  };
  struct File {
    std::string safe;             // as synchronised
    std::string seen;             // as read back
    std::vector<Change> pending;  // between the two
  };
  std::shared_ptr<File> open(const std::string& path);
  bool exists(const std::string& path) const;
  int remove(const std::string& path);
  int change(File& file, Change change);
  int synchronise(File& file);
  bool dead() const;

 private:
  int admit(std::unique_lock<std::mutex>& lock);  // SQLITE_OK, or what the operation fails with

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::string name_;
  sqlite3_vfs vfs_{};
  std::map<std::string, std::shared_ptr<File>> files_;
  int64_t operations_ = 0, fail_at_ = -1;
  Fault fault_ = Fault::none;
};

}  // namespace slosonde::store
