// What the counts must be, computed afterwards and slowly from what really happened. Shares no code with the ledger,
// the core or the SLO arithmetic, and goes about it the other way round: the core advances all runs together through
// time and remembers as little as it can; the oracle takes one run after the other and looks at all that is known of
// it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tests/simulation/facts.h"

namespace slosonde::simulation {

enum class Verdict : uint8_t { on_time, late, lost, corrupt, failed, skipped, unseen };

class Oracle {
 public:
  Oracle(const Terms& terms, const Facts& facts);

  std::vector<TransactionCounts> transactions() const { return counts_; }
  SloCounts slo_total(size_t slo) const;
  // As a snapshot taken at `at` (after the turn at that time) must show it.
  WindowReading window(size_t slo, Time window, Time at, double budget) const;

 private:
  // What became of a stage. `q` is when its time had come, `known` when the core had been told: it was carried out in
  // the first turn that is not before either.
  struct Fate {
    bool decided = false;
    Verdict verdict = Verdict::lost;  // as it stands when decided; lost may yet become late
    bool fault = false;               // unseen by our own fault
    Time at = 0;                      // the instant it counts at
    Time q = 0, known = 0;
    bool seen = false;
    Time lo = 0, hi = 0;
  };
  struct Run {
    uint32_t transaction = 0;
    uint64_t seq = 0;
    Time due = 0, started = 0;
    std::vector<Fate> fates;
    Time decided_at = 0, decided_q = 0, decided_turn = 0;
    Time close_q = 0, close_turn = 0;
    Time place_q = 0, place_turn = 0;
  };
  struct SloEvent {
    Time at = 0, turn = 0;
    int kind = 0;  // 0 good 1 bad 2 blind 3 probe_fault 4 missed
  };

  Time turn_at(Time t) const;  // the first turn at or after t
  Time turn_of(const Fate& fate) const { return turn_at(std::max(fate.q, fate.known)); }
  bool before(const Fate& a, const Fate& b) const;

  void walk_grid(uint32_t transaction);
  void judge(Run& run);
  Fate act(const Run& run) const;
  Fate watch(const Run& run, size_t stage) const;
  Fate by_interval(const Run& run, size_t stage, const EvidenceFact& evidence, Time q) const;
  void wait_for_sight(const Run& run, size_t stage, const EvidenceFact* first, Time judged, Fate& fate) const;
  void close(Run& run);
  void count(const Run& run);
  void count_evidence();
  void count_latency_slo(const Run& run, size_t slo);
  void add(size_t slo, Time at, Time turn, int kind) { events_[slo].push_back({at, turn, kind}); }
  const EvidenceFact* first_evidence(const Run& run, size_t stage) const;
  // When [from, to] was proven to be covered: the time of the report that closed the last gap; -1 never.
  Time proven_at(size_t watch, Time from, Time to) const;
  bool proven_by(size_t watch, Time from, Time to, Time turn) const;
  Sight sight_at(size_t watch, Time turn) const;
  Time place_gone_after(size_t watch, Time t) const;  // -1: never

  const Terms& terms_;
  const Facts& facts_;
  std::vector<TransactionCounts> counts_;
  std::vector<std::vector<SloEvent>> events_;
  std::vector<std::vector<Run>> runs_;  // by transaction; seq is the index + 1
  std::map<std::pair<uint32_t, uint64_t>, const ResultFact*> results_;
  std::map<std::pair<uint32_t, uint64_t>, std::vector<const EvidenceFact*>> evidence_;
};

}  // namespace slosonde::simulation
