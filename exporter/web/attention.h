// How attentive the web thread is: since when nothing that has arrived can be lying unread.
#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include "probe/base/time.h"

namespace slosonde::exporter {

// The loop waits no longer than this, so that a thread that was held up can be told from one that had nothing to do.
constexpr Duration kNap = std::chrono::milliseconds(250);
// A nap that takes longer than it should by no more than this is an ordinary machine's.
constexpr Duration kPrompt = std::chrono::milliseconds(50);
// A turn or nap longer than this: senders may have given up.
constexpr Duration kStill = std::chrono::seconds(2);

// Web thread.
class Attention {
 public:
  explicit Attention(std::function<Instant()> now) : now_(std::move(now)), quiet_(now_()), floor_(quiet_) {}

  // Everything that had arrived by `at` has been read. Gives how long it is since that was last so.
  Duration quiet(Instant at) {
    floor_ = at;
    return at - std::exchange(quiet_, at);
  }
  // The loop is going to wait. What ends the wait calls wakes() first of all; again: nothing.
  void sleeps() { asleep_ = true; }
  void wakes() {
    if (!std::exchange(asleep_, false)) return;
    const Instant now = now_();
    // The kernel wakes us for what arrives; but who sleeps too long may have been woken long after.
    floor_ = now - quiet_ > kNap + kPrompt ? quiet_ : now;
  }
  // What is being read now had not arrived before.
  Instant floor() const { return floor_; }

 private:
  std::function<Instant()> now_;
  Instant quiet_, floor_;
  bool asleep_ = false;
};

}  // namespace slosonde::exporter
