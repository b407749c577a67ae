// When a transaction's runs are due, and which slots are missed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "probe/engine/plan.h"
#include "probe/engine/schedule_queue.h"

namespace slosonde::engine {

// Slots that nobody started, from the first of them on, `every` apart.
struct MissedSlots {
  Instant first{};
  uint64_t count = 0;
  std::string_view why;
  bool news = false;  // none was missed just before
};

// By the transaction's index in the plan. A slot that has come up is either started or missed, once: the next one is
// put into the queue before this one is answered for. Engine thread.
class Schedule {
 public:
  // `plan` and `queue` outlive it. With `runs` false there are no slots at all.
  Schedule(const Plan& plan, ScheduleQueue& queue, Instant start, bool runs);

  // No slots from now on.
  void drain();
  bool draining() const { return draining_; }

  // Goes on where another process ended: `slot` was the next one. Those before `now` are missed; the slots begin with
  // the next one after them, however long the watches take. Nothing is missed where `slot` is no slot of this grid, or
  // lies further ahead than the grid reaches: then they begin as they would without.
  MissedSlots resume(uint32_t transaction, Instant slot, Instant now,
                     std::string_view why = "the probe was not running");
  // What resume() wants to be told, up to now; none: there are no slots yet.
  std::optional<Instant> resume_at(uint32_t transaction) const;

  // Goes on with the slots of a transaction of another schedule, which has them no more: none is started twice or left
  // out.
  void take_over(uint32_t transaction, Schedule& before, uint32_t was);

  // Begins with the slots of a transaction whose watches have all covered something (`ready`), or once they have had
  // their time to.
  void begin_if_ready(uint32_t transaction, Instant now, bool ready);
  bool begun(uint32_t transaction) const { return grids_[transaction].begun; }
  bool is_next(uint32_t transaction, Instant slot) const { return grids_[transaction].next == slot; }
  Instant next(uint32_t transaction) const { return grids_[transaction].next; }

  // The slot `slot` has come up, and it is `now`. Nothing: it is not too late to start it. One that is not started all
  // the same is then skip()ped.
  std::optional<MissedSlots> take(uint32_t transaction, Instant slot, Instant now);
  MissedSlots skip(uint32_t transaction, Instant slot, std::string_view why);
  void started(uint32_t transaction) { grids_[transaction].missing = false; }

 private:
  struct Grid {
    Duration phase{};
    Instant since{};  // its watches have `settle` from then on
    Instant next = kNever;
    std::optional<Instant> owed;  // of a transaction that has not begun, or begins no more: the next slot
    bool begun = false;
    bool missing = false;  // the last slot was missed
  };

  MissedSlots miss(uint32_t transaction, Instant first, uint64_t count, std::string_view why);
  void next_is(uint32_t transaction, Instant slot);

  const Plan& plan_;
  ScheduleQueue& queue_;
  bool draining_ = false;
  bool runs_;
  std::vector<Grid> grids_;
};

}  // namespace slosonde::engine
