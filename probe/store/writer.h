// The thread that commits. One batch at a time: while one is being written, the engine's next one forms.
//
// A batch that cannot be written now (full disk, read-only file system) is tried again, with backoff, for as long as it
// takes; probing goes on meanwhile, and what changes goes into the next batch. When the file turns out to be damaged,
// it is moved aside, a new one is begun, and a whole batch is wanted (wants_whole()).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "probe/store/state_file.h"

namespace slosonde::store {

struct WriterOptions {
  StateFileOptions file;
  std::function<Instant()> now;                           // any thread
  Duration retry_first = std::chrono::milliseconds(500);  // doubled at each failure
  Duration retry_longest = std::chrono::seconds(15);
};

struct WriterStatus {
  bool writable = true;      // the last attempt succeeded, or none was made yet
  std::string error;         // of the last attempt, while not writable
  uint64_t committed = 0;    // batches
  uint64_t failures = 0;     // attempts that did not succeed
  uint64_t moved_aside = 0;  // damaged files
  std::string last_aside;    // where the last one lies, and what was wrong with it
};

class Writer {
 public:
  // `file`: as opened at the start; none when that could not be done yet, which is then tried again and again.
  Writer(std::optional<StateFile> file, WriterOptions options);
  // Ends the thread, after the attempt that it is at.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Any thread, all of them.
  bool idle() const;         // the last batch is committed: offer() may be called
  bool wants_whole() const;  // the next batch must be Batch::whole: the file is a new one
  WriterStatus status() const;

  // Engine thread, when idle. The batch is the writer's from now on.
  void offer(Batch batch);

  // Ends the thread, after the attempt that it is at, and commits a last batch on the caller's: a whole one where what
  // was offered before could not be committed. Waits for both, for no deadline can break off a commit. True: everything
  // is committed.
  bool finish(const std::function<Batch(bool whole)>& last);

 private:
  void stop();
  // All on the writer's thread, or when it has ended.
  void work();
  std::optional<Batch> next(Duration pause);  // none: it is over
  StoreResult<void> attempt(const Batch& batch);
  bool settle(const StoreResult<void>& done, Batch batch);  // true: the batch waits to be tried again

  WriterOptions options_;
  std::optional<StateFile> file_;  // writer's thread
  bool opened_once_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Batch> waiting_;
  bool busy_ = false;  // from offer() until committed, or given up
  bool wants_whole_ = true;
  bool stopping_ = false;
  WriterStatus status_;
  std::thread thread_;
};

}  // namespace slosonde::store
