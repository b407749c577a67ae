// The core: schedule, runs, matching, judging, counting. Pure: no Asio, threads, clock or I/O; the same inputs give the
// same outputs, bit for bit. The service drives it on the engine thread, the simulation on a virtual clock.
//
// Slots. A transaction's slots lie at k * every + a phase of its own on the Instant line. A slot not more than 10 ms
// late (the loop's own grain) is started; after a longer stall at most the newest is, if not later than max_lateness
// and half of its first limit. All others, and those for which max_in_flight runs are in flight, are missed. Before its
// watches have all covered something, or found that their place fails (or `settle` has passed), a transaction has no
// slots. A run that only waits for
// sight is not in flight.
//
// With a `backoff`, slots are missed while runs cannot reach their target (backoff.h); it is kept over a reload that
// leaves the transaction as it is, and begins anew with each process.
//
// Instants. What is reported counts at the instant it is stamped with, whatever the order of arrival; what is due is
// judged at its instant, after all that was fed before advance(). An SLI event counts where its decision lies: the
// sighting, the result, the limit (even when we come to say so a moment later); what only becomes known after the limit
// (a gap read back, coverage that catches up) counts when it becomes known, so that no past figure changes.
//
// A done stage gets 20 ms after its limit for a result that was stamped in time. When we come later than that by more
// than max_lateness (at least 100 ms), we were held up ourselves: it is unseen by our own fault. So is what
// came over its limit by no more than we have waited for a processor since the run was due, and what has not come when
// we waited for one most of the time.
//
// Evidence. An interval wholly within the limit is on time, one wholly beyond it is late, one across it is unseen. What
// was covered before the evidence came is taken out of its interval; what is reported as covered with it is not. What
// its sender may have sent before, to a listener of ours that was down, arrived at any time since that broke.
// Absence at the limit is bad once [due, limit] is covered, failed when the place is out of sight by its own fault, and
// open otherwise: until it is covered, until the place fails, or until limit + settle, when it is unseen. What a text
// names twice counts once.
//
// Witnesses. A failure that may come from a network that is down is decided once a round of witnesses that was asked at
// or after it is known, or 5 s later: if nobody answered, it is our own fault, else (and in doubt) its target's. So is
// that of a place where evidence turns up, which is then out of sight by our own fault until the network is back and it
// could be found again. What waited for them counts when it becomes known. Without witnesses nothing waits.
//
// Other expectations of a watched stage. `exactly_one`: seen in time it stays open, and is on time once [due, limit] is
// covered; a second copy within the limit is failed (duplicated). `none`: a copy within the limit is failed
// (unexpected), covered silence on time. Of a place that is `observer` a failure is want of sight like our own.
//
// After a stage that failed. A failed *done* stage (an act) skips all that follows. A polled or watched stage only
// looks: when its place fails, acts after it are skipped, but watched stages go on and are judged alone. A stage that
// our own fault or blindness has kept from starting is unseen, never skipped.
//
// A run's events are excluded where a declared window, as it is known when they are decided, touches the time from due
// to the run's latest limit (`from` counted from the other stage's own limit), whatever they would have been and
// whenever they were decided, so that an exclusion does not choose among outcomes; a missed slot where it touches the
// slot.
//
// A run is bad if any stage is; else probe_fault, blind, or good. A stage is never bad through our own fault, so a bad
// one is bad by itself. `reordered` is counted beside `first`, when an earlier stage was provably seen later (their
// intervals do not overlap). A latency SLI without a stage is about the last one; seen within `faster_than` is good,
// whatever else becomes of the stage; skipped is no event.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "checks/check.h"
#include "checks/watch.h"
#include "probe/base/result.h"
#include "probe/engine/exclusions.h"
#include "probe/engine/plan.h"
#include "probe/engine/run.h"
#include "probe/engine/snapshot.h"
#include "probe/engine/succession.h"
#include "probe/store/batch.h"

namespace slosonde::engine {

// Inputs. All are stamped not later than the `now` they are fed with.
struct CheckDone {
  RunId run;
  bool finally = false;
  uint32_t stage = 0;
  uint32_t attempt = 0;
  checks::CheckResult result;
};
struct EvidenceSeen {
  size_t watch = 0;
  checks::Evidence evidence;  // the text need only live during feed()
};
struct Covered {
  size_t watch = 0;
  Instant from{}, to{};
};
struct OutOfSight {
  size_t watch = 0;
  Error error;
};
struct Trigger {  // one run, now, besides the schedule
  uint32_t transaction = 0;
};
struct Drain {};  // start no more runs
struct WallStep {
  Duration offset{};  // wall clock minus Instant, from now on
};
struct Starved {  // we were kept from our work for so long of (from, to]; before what was late by it
  Instant from{}, to{};
  Duration waited{};
};
struct WitnessSaid {  // asked at `asked`, together with the others; whether it answered
  size_t witness = 0;
  Instant asked{};
  bool reachable = false;
};
using Input =
    std::variant<CheckDone, EvidenceSeen, Covered, OutOfSight, Trigger, Drain, WallStep, Starved, WitnessSaid>;

// What people tell the running probe.
struct EndExclusion {
  std::string name;
};
struct Suspend {
  std::string transaction;  // empty: all
  bool on = true;           // false: resume
};
using Command = std::variant<ExclusionOrder, EndExclusion, Suspend>;

// Outputs, in the order in which they are to be done.
struct StartCheck {
  RunId run;
  bool finally = false;
  uint32_t stage = 0;
  uint32_t attempt = 0;
  bool polling = false;
  Instant due{}, deadline{};
  std::string marker, traceparent;
  std::string payload;  // empty where the stage does not send it
  checks::Captures captures;
};
struct CancelCheck {
  RunId run;
  bool finally = false;
  uint32_t stage = 0;
  uint32_t attempt = 0;
};
struct RunStarted {
  RunId run;
  Origin origin;
};
struct RunClosed {
  std::shared_ptr<const RunRecord> run;
};
// A change somebody may want to know of: one structured log line each. Nothing for a healthy run.
struct Notice {
  enum class Kind : uint8_t {
    transaction_bad,
    transaction_bad_otherwise,  // for a reason that it was not before
    transaction_good,
    slot_missed,
    watch_lost,
    watch_back,
    network_lost,  // no witness answers
    network_back,  // one does again
    alert_fired,
    alert_resolved,
    history_anew,  // an SLO's
    runs_cut,      // runs that another plan has ended
    runs_dropped,  // runs of an earlier process that cannot go on: they are probe_fault
    state_lost,    // what is to survive cannot be committed
    state_back,    // it can again
    suspended,     // a transaction: it starts no runs until it is resumed
    resumed,
    exclusion_declared,  // to the running probe
    exclusion_ended,     // before its time
    clean_up_dropped     // steps of a transaction's runs that found no place (the service tells, not the core)
  };
  Kind kind;
  std::string subject;  // transaction, watch or SLO
  std::string text;     // what happened, for people
};
using Output = std::variant<StartCheck, CancelCheck, RunStarted, RunClosed, Notice>;
using Outputs = std::vector<Output>;

struct CoreOptions {
  Instant start{};
  uint64_t epoch = 0;      // new at every start; 48 bits
  bool schedule = true;    // false: only Trigger starts runs
  size_t kept_runs = 200;  // closed ones kept for views, a transaction
  // What an earlier process left (perhaps nothing), read during construction: counts, alerts and runs in flight go on,
  // slots since are missed; exported counters begin at 0. None: nothing is kept of this process either.
  const store::Batch* kept = nullptr;
  bool clock_stepped = false;  // since that process began: its instants are not ours
};

class Core {
 public:
  Core(std::shared_ptr<const Plan> plan, CoreOptions options);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Takes an input in; judges nothing. Late results of checks that were cancelled are ignored.
  void feed(Instant now, Input input);
  // Starts what is due, judges what has reached its limit, closes what is over; after feeding all that is stamped <=
  // now.
  void advance(Instant now, Outputs& outputs);
  // When advance() has something to do next, if nothing is fed before; kNever when nothing is pending.
  Instant next_due() const;

  // Goes on with another plan of the same probe (name and key), after advance(now) and before anything else: what is
  // the same in both (succession.h) goes on as it is, its slots and runs, its counts and its sight. Runs of
  // transactions that do not are closed, those undecided as probe_fault; their clean-up is begun at once, all of it,
  // and nobody waits for it. SLIs go on by their definition, as after a restart. `epoch` is a new one. The outputs
  // speak of the plan before; from then on ids and indices are those of the new one. The next take_changes() is of
  // everything. Where it throws (bad_alloc), the core carries out neither plan any more.
  Succession go_on_with(Instant now, std::shared_ptr<const Plan> plan, uint64_t epoch, Outputs& outputs);

  // Takes a command, between two calls of advance(). The errors are those of Exclusions; bad_config for a suspension:
  // no such transaction.
  Result<void> command(Instant now, const Command& command);

  // What has changed since the last call, or everything: a consistent cut, between two calls of advance(). Positions of
  // watches are the caller's to fill in. Only with CoreOptions::kept.
  store::Batch take_changes(bool whole);

  // Every watch has reported once (in sight or out of it), or `settle` has passed; it stays so, whatever is reloaded.
  bool ready() const;
  uint64_t in_flight() const;

  // A consistent view. Percentiles are computed anew at most every few seconds.
  std::shared_ptr<Snapshot> snapshot(Instant now);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slosonde::engine
