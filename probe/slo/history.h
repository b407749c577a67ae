// The counts of one SLI over its whole period, with the sums of a few windows always at hand.
//
// Event-weighted and exact: a window's figure is the sum of the events in it, never an extrapolated rate, never a mean
// of means. Two resolutions: slots of 10 s for windows up to 6 h, slots of 1 min for longer ones, both aligned to the
// Unix-like line of Instant (a slot starts where unix_ns(t) is a multiple of its length).
//
// The edges, exactly: with `now` the latest instant given to advance() or add(), and g the slot of window W,
//     window_start = now rounded down to g, minus W
// and sum(W) counts every event with window_start <= t (all have t <= now). A window is thus never shorter than W and
// less than one slot longer: it holds the slot that is now filling and the W/g whole slots before it. Between two slot
// edges a sum changes only by add().
//
// Memory: past slots lie run-length-coded in immutable blocks of 60 (an hour of minutes), equal neighbours stored once:
// with four tiers 48 kB for 90 flat days, 470 kB where every minute of 90 days differs. Copying is cheap (the blocks
// are shared, some 12 kB are copied), so a snapshot may hold one.
//
// Not thread-safe; a const copy may be read by any one thread. Throws nothing but bad_alloc. No clock, no I/O.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "probe/base/time.h"
#include "probe/slo/counts.h"
#include "probe/slo/objective.h"
#include "probe/slo/slot_log.h"

namespace slosonde::slo {

constexpr Duration kFineSlot = std::chrono::seconds(10);
constexpr Duration kCoarseSlot = std::chrono::minutes(1);
constexpr Duration kLongestFineWindow = std::chrono::hours(6);

// An event added this much later than it was decided still finds its own slot.
constexpr Duration kLateBound = std::chrono::minutes(15);

// The slot by which a window is counted.
constexpr Duration slot_of(Duration window) {
  return window <= kLongestFineWindow ? kFineSlot : kCoarseSlot;
}

// The window as counted: rounded up to whole slots, at least one, at most kLongestPeriod. What History does to every
// window it is given.
Duration whole_slots(Duration window);

class History {
 public:
  // `windows`: those whose sums will be asked for; `period` is one of them whether named or not. Each is rounded by
  // whole_slots(); doubles are harmless. `history_start` is where counting began (restored history: where that began).
  History(Instant history_start, Duration period, const std::vector<Duration>& windows);

  // Counts `n` events decided at `t`; moves now forward to `t` if it is later. O(windows). An event decided before
  // now - kLateBound is counted as though decided then, and in moved(): none is lost.
  void add(Instant t, Event event, uint64_t n = 1);

  // Moves now forward (an earlier one is ignored). O(windows) for each slot passed, bounded by the period.
  void advance(Instant now);

  // The counts of a window given to the constructor, or of the period: O(1). Any other window is a mistake of the
  // caller, caught by an assertion.
  const Counts& sum(Duration window) const;

  // Where the window starts now (see the edges above).
  Instant window_start(Duration window) const;

  // The part of the window before history_start, in [0, window]: what refill speaks of (burn.h).
  Duration unobserved(Duration window) const;

  // The next slot edge: until then, without an add(), no sum and no unobserved() changes.
  Instant next_change() const;

  Instant now() const { return now_; }
  Instant history_start() const { return history_start_; }
  Duration period() const { return period_; }

  // All windows with a sum, shortest first, as rounded.
  std::vector<Duration> windows() const;

  // Events that came too late for their own slot, since construction.
  uint64_t moved() const { return moved_; }

  // Every slot that is not empty, oldest first, once: minutes as far as they reach, or the fine slots where there is no
  // longer window. For pictures.
  using Visitor = std::function<void(Instant slot_start, Duration slot, const Counts& counts)>;
  void visit(const Visitor& visitor) const;

  // What a store keeps: the counts in blocks of sixty slots, of both resolutions. take_changed() gives those to which
  // something was added since it was last called (and since track_changes() was), visit_blocks() all of them; what is
  // in no window is left out.
  void track_changes();
  using BlockVisitor = std::function<void(Duration slot, int64_t number, const Block& block)>;
  void take_changed(const BlockVisitor& visitor);
  void visit_blocks(const BlockVisitor& visitor) const;

  // No block before this one is in any window.
  int64_t first_block(Duration slot) const;

  // The longest window that is counted by this slot: nothing further back is kept in it. Zero: none.
  Duration longest(Duration slot) const;

  // Puts back what was stored, in place of what there is, and moves now to `now`. In ascending order each.
  // `fine_since`: where the fine slots begin, when they were kept for shorter windows than are asked for now; what
  // happened before is then taken from the minutes. False: some block cannot be one; the history is then empty.
  bool restore(std::span<const StoredBlock> fine, std::span<const StoredBlock> coarse, Instant now,
               Instant fine_since = Instant::min());

  // Bytes held, shared blocks included. An estimate for tests and benchmarks: allocator overhead is left out.
  size_t memory_bytes() const;

 private:
  const SlotLog& log_of(Duration window) const;
  // What was kept for a shorter period lies in fine slots alone.
  void fill_coarse();
  // What was kept for shorter windows lies further back in minutes alone: each goes into its first fine slot.
  void fill_fine(Instant until);

  Instant history_start_;
  Instant now_;
  Duration period_;
  SlotLog fine_;
  SlotLog coarse_;
  uint64_t moved_ = 0;
};

}  // namespace slosonde::slo
