// The counts of one resolution, and the sums of the windows counted by it. The engine room of History; others want
// that.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "probe/base/time.h"
#include "probe/slo/counts.h"
#include "probe/slo/slot_block.h"

namespace slosonde::slo {

// Slots are numbered from the epoch: floor(unix_ns / slot length). The newest are plain counts that may still change;
// what lies further back than `late_slots` is sealed, 60 at a time, into shared immutable blocks.
class SlotLog {
 public:
  SlotLog(Duration slot, Duration late_bound, Instant start);

  // Before the first add. A whole number of slots; already known ones are ignored.
  void watch_window(Duration window);

  bool empty() const { return windows_.empty(); }  // no window: nothing is recorded
  Duration slot() const { return slot_; }
  int64_t slot_at(Instant t) const;
  int64_t current() const { return current_; }

  // Makes `slot` the current one, if it is later. What leaves a window is taken out of its sum.
  void advance(int64_t slot);

  // `slot` must not be after current(), nor further before it than the late bound.
  void add(int64_t slot, Event event, uint64_t n);

  // Puts back what was stored, in place of what there is: blocks in ascending order; `last` is current() afterwards.
  // What lies after it (the clock was set back since) is counted in it, what lies before every window is dropped.
  // False: some block cannot be one, and the log is empty.
  bool restore(std::span<const StoredBlock> blocks, int64_t last);

  // From here on changed blocks are noted, for take_changed(); what was noted before is no news.
  void track_changes() {
    tracking_ = true;
    changed_.clear();
  }

  // The blocks to which something was added since the last call, or all of them, each with its number; those that lie
  // before every window are left out.
  using BlockVisitor = std::function<void(int64_t number, const Block& block)>;
  void take_changed(const BlockVisitor& visitor);
  void visit_blocks(const BlockVisitor& visitor) const;
  int64_t first_block() const;  // the one in which the longest window starts

  const Counts* sum(Duration window) const;  // null: not watched
  std::vector<Duration> windows() const;     // ascending

  void visit(const std::function<void(int64_t slot, const Counts& counts)>& visitor) const;
  size_t memory_bytes() const;

 private:
  struct Window {
    Duration length{};
    int64_t slots = 0;
    Counts sum;
    BlockReader tail;  // reads on where the window ends
  };
  using Blocks = std::vector<std::shared_ptr<const Block>>;

  void step();
  void seal_oldest();
  void begin_at(int64_t slot);  // with nothing before it
  Counts leaving(Window& window, int64_t slot) const;
  Counts& open_slot(int64_t slot);
  const Counts& open_slot(int64_t slot) const;
  std::shared_ptr<const Block> block(int64_t number) const;
  void note_change(int64_t slot);

  Duration slot_;
  int64_t late_slots_;
  int64_t current_;
  int64_t first_open_;        // slots from here to current_ are open; a multiple of kBlockSlots, or the start
  int64_t first_block_;       // number of blocks_->front(): slot / kBlockSlots
  int64_t longest_ = 0;       // slots of the longest window
  std::vector<Counts> open_;  // ring, by slot modulo its size
  std::shared_ptr<const Blocks> blocks_;  // replaced, never changed: copies go on with theirs
  std::vector<Window> windows_;
  bool tracking_ = false;
  std::vector<int64_t> changed_;  // blocks, ascending; those of the longest window at most
};

}  // namespace slosonde::slo
