// The core: schedule, runs, matching, judging, counting. Pure: no Asio, threads, clock or I/O; the same inputs give the
// same outputs, bit for bit. The service drives it on the engine thread, the simulation on a virtual clock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "checks/check.h"
#include "checks/watch.h"
#include "probe/engine/plan.h"
#include "probe/engine/run.h"
#include "probe/engine/snapshot.h"

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
using Input = std::variant<CheckDone, EvidenceSeen, Covered, OutOfSight, Trigger, Drain, WallStep>;

// Outputs, in the order in which they are to be done.
struct StartCheck {
  RunId run;
  bool finally = false;
  uint32_t stage = 0;
  uint32_t attempt = 0;
  bool polling = false;
  Instant due{}, deadline{};
  std::string marker, traceparent, payload;
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
    transaction_good,
    slot_missed,
    watch_lost,
    watch_back,
    alert_fired,
    alert_resolved
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

  bool ready() const;  // every watch has reported once (in sight or out of it), or `settle` has passed
  uint64_t in_flight() const;
  std::shared_ptr<const RunRecord> find_run(std::string_view marker) const;  // in flight or kept; nullptr: unknown

  // A consistent view. Percentiles are computed anew at most every few seconds.
  std::shared_ptr<Snapshot> snapshot(Instant now);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slosonde::engine
