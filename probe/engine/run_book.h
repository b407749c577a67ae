// The runs there are: those that are open, the last closed ones, and how many count towards which bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "probe/engine/plan.h"
#include "probe/engine/run_list.h"
#include "probe/engine/run_markers.h"
#include "probe/engine/run_state.h"
#include "probe/engine/schedule_queue.h"

namespace slosonde::engine {

// Owns every Run from its start to its close; a Run's address holds until then. Sequence numbers strictly increase. A
// run that has something to come has one entry in the queue that counts, the earliest. Engine thread.
class RunBook {
 public:
  // `plan` and `queue` outlive it. Of each transaction's closed runs the last `kept` are kept.
  RunBook(const Plan& plan, ScheduleQueue& queue, size_t kept);

  // A run of `latency_slos` latency SLOs, with nothing started yet.
  Run& start(uint32_t transaction, Origin origin, Instant due, Instant now, size_t latency_slos,
             const RunMarkers& markers);
  Run* find(const RunId& id);  // an open one
  // Whether it was ever started.
  bool issued(const RunId& id) const { return id.seq < lanes_[id.transaction].next_seq; }

  // The run is to be stepped at `t` at the latest.
  void wake(Run& run, Instant t);
  // The run of a queue's entry, unless it has been woken earlier since, or is closed.
  Run* woken(const DueEntry& entry);

  // Why no more may be started; nullptr: one may.
  const char* why_not(uint32_t transaction, Origin origin) const;

  // What the judge has said of a run, each once.
  void free_place(const Run& run);  // counts towards max_in_flight (or the bound of triggered ones) no more
  void decided(const Run& run);     // is in flight no more; begins to clean up, if it has to
  void cleaned_up() { --cleaning_up_; }
  RunPtr close(Run& run);  // the run is gone afterwards

  uint64_t undecided(uint32_t transaction) const { return lanes_[transaction].undecided; }
  // Undecided, or decided and cleaning up.
  uint64_t in_flight() const;
  // Of the first open run; one that began after it was due at most max_lateness before. kNever: none is open.
  Instant oldest_due(uint32_t transaction) const;

  // A run of an earlier process goes on: gets an id, and holds what it held. Its wake is the caller's.
  Run& adopt(uint32_t transaction, Run run);

  // Goes on with the runs of a transaction of another book, under its index here; that book has none of it any more.
  // Gives those that are open: their wakes hold, and for a store they are as those of an earlier process.
  std::vector<Run*> take_over(uint32_t transaction, RunBook& before, uint32_t was);
  // The same for what is shown of closed runs alone: the transaction begins anew with the next number.
  void show_on(uint32_t transaction, const RunBook& before, uint32_t was);
  std::vector<Run*> open(uint32_t transaction);  // by seq

  // What a store keeps: from keep_changes() on, scheduled runs that have changed since the last take, and those that
  // are closed and were taken before.
  void keep_changes() { keeping_ = true; }
  struct Changes {
    std::vector<const Run*> open;  // until the next call that changes a run
    std::vector<RunId> closed;
  };
  Changes take_changes();
  Changes take_all();

  // What a snapshot shows. Parts that have not changed are shared with the snapshot before.
  RunList list();

 private:
  struct Lane {  // of one transaction
    uint64_t next_seq = 1;
    uint64_t first_open = 1;                // seq of open.front()
    std::deque<std::unique_ptr<Run>> open;  // by seq; null: closed
    size_t open_runs = 0;
    uint64_t undecided = 0;
    uint32_t places = 0, triggered = 0;          // undecided runs that count against max_in_flight, kMostTriggered
    std::deque<RunPtr> kept;                     // newest first
    std::shared_ptr<const RunList::Part> shown;  // `kept` as last shown; reset when one is closed
  };

  static RunPtr show(Run& run);
  static void show_under(Lane& lane, uint32_t transaction);
  void touch(Run& run);

  const Plan& plan_;
  ScheduleQueue& queue_;
  size_t most_kept_;
  uint64_t cleaning_up_ = 0;  // decided runs whose finally goes on
  std::vector<Lane> lanes_;
  bool keeping_ = false;
  std::vector<RunId> unsaved_, closed_;
  size_t tidy_at_ = 1024;  // when this many are unsaved, those that have closed since are let go
};

}  // namespace slosonde::engine
