// What must have become of every slot and run, computed afterwards from what really happened: one run after the other,
// each with all that is known of it, where the core takes all runs together through time. Shares no code with the
// ledger, the engine's judging, or the SLO arithmetic.
//
// Processes come and go, and each goes on from a committed cut: what happened after the cut has not happened. The line
// of what did is a list of lives, each up to its cut, and the oracle knows no more of a life than that.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/swarm/facts.h"
#include "tests/simulation/swarm/slo_oracle.h"
#include "tests/simulation/swarm/turns.h"

namespace slosonde::swarm {

struct Failure {
  Time at = 0;
  size_t transaction = 0;
  std::string text;
};

class Oracle {
 public:
  Oracle(const Scenario& scenario, Time start);

  // What happens, as it happens.
  void life_begins(Time at, bool clock_stepped);
  void life_ends();  // what was not committed has not happened
  void committed(Time cut) { lives_.back().cut = cut; }
  void drains(Time at) { lives_.back().drained = at; }
  void suspends(size_t transaction, Time fed, bool on) { grids_[transaction].suspended.push_back({life(), fed, on}); }
  // We had work, and waited so long for a processor.
  void starved(Time fed, Time from, Time to, Time waited) { starved_.push_back({life(), fed, from, to, waited}); }
  // By the wall clock; of one transaction, or of all (-1). Ended with the same name, by the wall clock as well.
  void excludes(const std::string& name, int transaction, Time fed, Time from, Time to);
  void ends_exclusion(const std::string& name, Time fed, Time wall);
  void wall_step(Time fed, Time offset) { wall_steps_.push_back({life(), fed, offset}); }
  // `held`: everything had to wait for it, as nothing else has.
  // At the end of a turn. All runs of a transaction that is changed are ended.
  void cuts(size_t transaction, Time turn) { grids_[transaction].cuts.push_back({life(), turn, kCut}); }
  void reloads(Time turn);
  void turn(Time at, bool held) {
    lives_.back().turns.push_back(at);
    if (held) lives_.back().held.push_back(at);
  }
  int life() const { return static_cast<int>(lives_.size()) - 1; }
  uint64_t started(size_t transaction, Time due, Time turn);  // gives the run's number
  RunFacts* find(size_t transaction, uint64_t number);
  void covered(size_t watch, Time fed, Time from, Time to);
  void sight(size_t watch, Time fed, Sight sight);
  void shown(Time turn, std::vector<SloReading> slos);

  // Judges all that is known for good by now.
  void settle();
  // All that happened must have been judged.
  void finish();

  // Something is wrong beside what is compared.
  void fail(Time at, size_t transaction, std::string text);

  const std::vector<Failure>& failures() const { return failures_; }
  uint64_t runs() const { return settled_; }
  uint64_t verdicts(RunVerdict verdict) const { return verdicts_[static_cast<size_t>(verdict)]; }
  uint64_t stages(Verdict verdict) const { return stages_[static_cast<size_t>(verdict)]; }
  uint64_t readings() const { return compared_; }
  uint64_t digest() const { return digest_; }
  // For a report: told of each run of a transaction as it is judged.
  std::function<void(const RunFacts&, const std::string&)> on_judged;

 private:
  // In a turn, after all that has an instant.
  static constexpr Time kCut = INT64_MAX - 2, kReload = INT64_MAX - 1, kRead = INT64_MAX;

  static constexpr uint64_t kAfterEvidence = uint64_t{1} << 60;

  struct Life {
    Time begin = 0, cut = 0;
    bool ended = false;
    bool stepped = false;    // the clock was set before it began
    int first_of_clock = 0;  // the first life that goes by the same clock
    Time drained = INT64_MAX;
    Turns turns;
    std::deque<Time> held;  // of these
  };
  struct Covered {
    int life;
    Time fed, from, to;
  };
  struct Suspended {
    int life;
    Time fed;
    bool on;
  };
  struct Exclusion {
    std::string name;
    int transaction;
    int life;
    Time fed, from, to;
    struct End {
      int life;
      Time fed, wall;
    };
    std::optional<End> end;
  };
  struct Starved {
    int life;
    Time fed, from, to, waited;
  };
  struct WallStep {
    int life;
    Time fed, offset;
  };
  struct Seen {
    int life;
    Time fed;
    Sight sight;
  };
  struct WatchFacts {
    std::deque<Covered> coverage;
    std::deque<Seen> sight;
  };
  struct Fate {
    bool decided = false;
    Verdict verdict = Verdict::lost;
    bool fault = false;    // unseen by a fault of our own
    Time at = 0;           // the instant it counts at
    Step step;             // when it was decided
    bool dropped = false;  // with its run
    bool seen = false;
    uint64_t order =
        kAfterEvidence;  // among what is decided at the same instant: as evidence was handed over, then the rest
    std::optional<Step> awaits_second = {};  // from when on: seen once, so far so good
    Time lo = 0, hi = 0, fed = 0;
  };
  struct Judged {
    std::vector<Fate> fates;
    bool dropped = false;       // open, and of the future by the clock of the next process
    bool never_closed = false;  // likewise, and decided
    RunVerdict verdict = RunVerdict::good;
    RunVerdict shown = RunVerdict::good;  // excluded, where it is
    Time decided = 0;
    Step decided_step, close, place;
  };
  struct SloEvent {
    Step step;
    uint64_t order = 0;
    size_t slo = 0;
    Time at = 0, every = 0;  // the first one, and from one to the next
    RunVerdict kind = RunVerdict::good;
    bool excluded = false;
    int64_t objective_ppb = 0;  // not 0: it is this from now on, and that is all
    uint64_t n = 1;             // 0: another process goes on from what was kept
  };
  struct Grid {
    std::optional<Time> next;   // the first slot that is not settled
    int life = 0;               // which it is asked in
    std::optional<Time> begun;  // there
    std::optional<Time> phase;  // some slot
    std::vector<Suspended> suspended;
    std::vector<Step> cuts;     // of its runs, by reloads
    std::deque<RunFacts> runs;  // not settled, by start
    std::vector<Step> places;   // of settled runs that may still hold one
    uint64_t next_number = 1;
  };
  struct Reading {
    Step at;
    std::vector<SloReading> slos;
  };

  // oracle_line.cc: the line of what happened.
  std::optional<Time> turn_at(int life, Time t) const;
  void in_time(int life, Time turn, Time due, size_t transaction, const char* what);
  int lives() const { return static_cast<int>(lives_.size()); }
  Time waited(int life, Time turn, Time from, Time to) const;
  bool explains_late(int life, Time turn, Time due, Time limit, Time at) const;
  bool explains_silence(int life, Time turn, Time due, Time limit) const;
  std::optional<Step> proven(size_t watch, Time from, Time to, int life) const;
  bool proven_by(size_t watch, Time from, Time to, int life, Time turn) const;
  bool place_gone(size_t watch, int life, Time limit, Time turn) const;
  std::optional<Time> place_gone_after(size_t watch, int life, Time limit, Time turn) const;
  void forget();

  // oracle_slots.cc: which slots were started, and which missed.
  bool settle_slot(size_t transaction);
  void settle_life(size_t transaction);
  bool watch_ready(size_t watch, int life, Time t) const;
  std::optional<Time> begun(size_t transaction, int life) const;
  void miss(size_t transaction, Step step, Time first, uint64_t n);
  bool suspended(size_t transaction, int life, Time turn) const;
  bool settle_run(size_t transaction);
  void count(const RunFacts& run, const Judged& judged);
  void count(const RunFacts& run, size_t slo, const Step& step, uint64_t order, Time at, RunVerdict kind);
  void count_latency(const RunFacts& run, const Judged& judged, size_t slo);
  void compare(const RunFacts& run, const Judged& judged);

  // oracle_run.cc: what became of a run. Nothing: it is not known yet.
  std::optional<Judged> judge(const RunFacts& run) const;
  int clock_ends(int life) const;  // the first later life that goes by another clock; lives(): none yet
  Fate act(const RunFacts& run, size_t stage, const Fate* before) const;
  Fate done(const RunFacts& run, size_t stage, int life, Time started) const;
  Fate polled(const RunFacts& run, size_t stage, int life, Time started) const;
  Fate poll_over(const RunFacts& run, size_t stage, int life, bool answered, bool valid, bool fault, Time next) const;
  Fate cut_off(int life) const;
  void break_chain(const RunFacts& run, std::vector<Fate>& fates) const;
  // oracle_close.cc
  const Step* cut_of(const RunFacts& run) const;
  Step place_freed(const RunFacts& run, const std::vector<Fate>& fates) const;
  bool close(const RunFacts& run, Judged& judged) const;
  bool closes_before(const RunFacts& run, Judged judged, int life) const;

  // oracle_watch.cc: a stage that waits for what turns up by itself.
  struct Copy {
    const Sighted* what = nullptr;
    Time at = 0;    // the instant it counts at
    Time turn = 0;  // in which
  };
  Fate watch(const RunFacts& run, size_t stage) const;
  void before_limit(const RunFacts& run, size_t stage, int life, Time until, Fate& fate) const;
  void after_limit(const RunFacts& run, size_t stage, int life, Time from, Time judged, Fate& fate) const;
  void look_at(const RunFacts& run, size_t stage, int life, const Copy& copy, Fate& fate) const;
  std::vector<Copy> copies(const RunFacts& run, size_t stage, int life, std::optional<Time> judged) const;
  Fate by_interval(const RunFacts& run, size_t stage, const Sighted& first, int life, Time q) const;
  const Sighted* first_sighted(const RunFacts& run, size_t stage) const;

  // oracle_exclusions.cc
  Time latest_limit(size_t transaction) const;
  bool excluded(size_t transaction, Time from, Time to, int life, Time turn) const;
  void undo_exclusions(int life, Time cut);
  void forget_exclusions(Time before);

  // oracle_slos.cc
  Step frontier() const;
  Step next_tick() const;
  void apply(const Step& until);
  void apply(const SloEvent& event, bool last_of_step);
  void compare_reading();

  const Scenario& scenario_;
  std::deque<Life> lives_;
  std::vector<WatchFacts> watches_;
  std::vector<Grid> grids_;
  std::vector<SloOracle> slos_;
  std::vector<Exclusion> exclusions_;
  std::vector<WallStep> wall_steps_;
  std::deque<Starved> starved_;
  std::vector<SloEvent> events_;
  uint64_t order_ = 0;
  std::deque<Reading> readings_;
  Step ticked_;
  bool finished_ = false;
  std::vector<Failure> failures_;
  uint64_t settled_ = 0, compared_ = 0, digest_ = 0xcbf29ce484222325;
  std::array<uint64_t, kRunVerdicts> verdicts_{};
  std::array<uint64_t, 7> stages_{};
};

}  // namespace slosonde::swarm
