// What must be true of whatever the probe says, by the pipeline's own facts: nothing here knows how it comes to say so.
//
//   nothing lost     what it said is committed is there after every restart
//   each slot once   counts and open runs are as many as slots have come, of every SLI that counts each
//   no false alarm   a run whose pipeline did all in time is never bad, whatever became of the probe
//   no false peace   a run that met a fault of the pipeline's is never good
//   no excuse        of what the probe could see, it says what it was
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "probe/engine/snapshot.h"
#include "tests/simulation/day/pipeline.h"

namespace slosonde::day {

constexpr size_t kKinds = 6;  // good, bad, blind, probe_fault, missed, excluded
using Tally = std::array<uint64_t, kKinds>;
Tally tally_of(const engine::SloStatus& slo);

class Ledger {
 public:
  Ledger(const Terms& terms, Pipeline& pipeline);

  // A process has begun, and says this before its first turn. `anew`: it found nothing in the file. `clock_set`: since
  // the one before it began.
  void begins(const engine::Snapshot& snapshot, const Line& line, bool anew, bool clock_set);
  // Every now and then, when nothing is left to do at the instant.
  void look(const engine::Snapshot& snapshot, const Line& line);
  // The process is over, or about to be: what it said last is all it will have said.
  void ends(const engine::Snapshot& snapshot, const Line& line);
  // The day is over: no more is good, or bad, than can have been.
  void total(const engine::Snapshot& snapshot, const Line& line);
  // A command: ordered, and acknowledged some time later.
  void ordered(size_t transaction) { suspended_[transaction].reset(); }
  void acknowledged(const engine::Snapshot& snapshot, size_t transaction, bool on, Instant taken, bool disk_is_full);

  const std::string& failure() const { return failure_; }  // the first one; empty: none
  uint64_t judged() const { return judged_; }              // runs whose verdict was compared with the facts
  uint64_t exact() const { return exact_; }                // of these: those of which but one verdict was right
  uint64_t carried() const { return carried_; }            // of those: over a restart
  uint64_t digest() const { return digest_; }
  const Tally& verdicts() const { return verdicts_; }

 private:
  struct Said {
    Instant at{};
    std::vector<Tally> counts;  // by SLO
  };
  struct Gap {                 // between two processes; machine's time
    Instant known_to{}, to{};  // committed by the one; the other's beginning
    bool clock_set = false;
  };

  void judge(const engine::RunRecord& run, const Line& line);
  std::string story(const Sent& sent) const;
  bool may_be_bad(const Sent& sent, const Line& line) const;
  bool has_one_verdict(const Sent& sent, const Line& line);
  bool carried_over(const Sent& sent, const Line& line) const;
  void note_committed(const engine::Snapshot& snapshot);
  void count_slots(const engine::Snapshot& snapshot);
  void fail(std::string text);
  void mix(std::string_view text, uint64_t number);

  const Terms& terms_;
  Pipeline& pipeline_;
  std::deque<Said> said_;    // by this process, and not known to be committed
  std::vector<Tally> safe_;  // what is known to be committed
  std::vector<Gap> gaps_;    // gaps_[n]: before the process of number n + 1
  std::vector<std::optional<int64_t>>
      base_;  // slots that had come before the first that was counted, by SLO; none: to be seen
  std::vector<std::optional<bool>> suspended_;  // none: nobody knows for certain
  std::vector<std::optional<Duration>> phase_;  // of the grid, by transaction
  std::string failure_;
  uint64_t judged_ = 0, exact_ = 0, carried_ = 0, digest_ = 0;
  Tally verdicts_{};
};

}  // namespace slosonde::day
