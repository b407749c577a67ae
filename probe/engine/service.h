// The engine at work: the core, the launcher of checks and watches, and the loop that turns them, on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/check.h"
#include "checks/watch.h"
#include "probe/base/result.h"
#include "probe/config/mask.h"
#include "probe/engine/core.h"
#include "probe/engine/plan.h"
#include "probe/engine/snapshot.h"
#include "probe/engine/state_keeper.h"
#include "probe/io/io.h"

namespace slosonde::engine {

// A plan with what carries it out. checks[t][s] is null for watched stages; all made by the caller from the catalog.
struct Equipment {
  std::shared_ptr<const Plan> plan;
  std::vector<std::vector<std::shared_ptr<checks::Check>>> checks;
  std::vector<std::vector<std::shared_ptr<checks::Check>>> finally;
  std::vector<std::shared_ptr<checks::Watch>> watches;
  std::shared_ptr<const config::Mask> mask;  // of what no error may show; null: nothing
  std::shared_ptr<const std::string> shown;  // the configuration as JSON, for views; null: as at the start
};

struct ServiceOptions {
  std::optional<StateOptions> state;             // none: nothing survives the process
  bool schedule = true;                          // false: only trigger() starts runs
  std::function<void(const Notice&)> on_notice;  // engine thread; one log line each
  std::function<void()> on_snapshot;             // engine thread; after snapshot() was renewed
};

// Made, started and ended on the engine thread; the functions that say so may be called from any.
class Service {
 public:
  Service(io::Io& io, Equipment equipment, ServiceOptions options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Starts watches and the schedule.
  void start();
  // Starts no more runs, lets those in flight go on until they are decided or `grace` has passed, then stops everything
  // and calls `done` (once, on the engine thread, never from within drain()). A second call stops at once.
  void drain(Duration grace, std::function<void()> done);

  // Any thread: a command to the core. `done` is called on the engine thread once it is carried out, can be seen in the
  // snapshot, and is committed where anything is (unless the state cannot be written just now); or with why not. With
  // the inbox full it is called at once, on the caller's thread, with `busy`.
  void command(const Command& command, const std::function<void(Result<void>)>& done);

  // Engine thread. With the next turn carries out another plan of the same probe: what is the same goes on as it is
  // (see Core::go_on_with), watches included, in whose place those of `next` are not used. `done` is then called with
  // what has changed; or with why nothing has (`busy`: stopping, or another one waits). Half of it there is not: where
  // memory gives out in the middle, the process ends, to go on from its state when it is begun again.
  using Changes = std::vector<PlanChange>;
  void go_on_with(Equipment next, std::function<void(Result<Changes>)> done);
  // Engine thread: a configuration could not be reloaded; for views.
  void reload_failed();
  // Engine thread: what is carried out now.
  const Equipment& equipment() const;

  // Any thread. Never null; renewed about every second, and, once the last one was read, soon (200 ms) after every
  // change that readers wait for.
  std::shared_ptr<const Snapshot> snapshot() const;

  // Any thread: one run of a transaction, now. `started` is called on the engine thread with the marker once it has
  // started and is in the snapshot, or with why not (`busy`: too many in flight, or draining; `bad_config`: no such
  // transaction). With the inbox full it is called at once, on the caller's thread, with `busy`.
  void trigger(const std::string& transaction, const std::function<void(Result<std::string>)>& started);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slosonde::engine
