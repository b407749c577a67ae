// How other threads speak to the engine thread: the web thread (hooks, commands), the blocking lane, later the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace slosonde::io {

// Mutex, vector, byte cap, eventfd. Owned by the Io; lives as long as it.
class Inbox {
 public:
  explicit Inbox(size_t max_bytes = 16 * 1024 * 1024);
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Any thread. `bytes` is what the task holds in memory. False when the inbox is full: nothing was kept, the drop is
  // counted, and the caller must say so to whoever asked (a hook answers 503).
  bool post(size_t bytes, std::function<void()> task);

  // Engine thread: runs everything posted so far, in order; says how many ran. What a task throws keeps none of the
  // others from running; the first of it is thrown on at the end.
  size_t drain();

  // Readable while something waits. Owned by the inbox.
  int descriptor() const { return event_; }
  uint64_t dropped() const;  // any thread

 private:
  const size_t max_bytes_;
  int event_;
  mutable std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
  size_t bytes_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace slosonde::io
