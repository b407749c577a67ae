// Carries out the core's orders: every check is a coroutine of its own, which ends by its deadline or is cancelled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/check.h"
#include "probe/engine/core.h"
#include "probe/engine/service.h"
#include "probe/io/io.h"

namespace slosonde::engine {

// At most this many checks are in flight in one process, and of each transaction at most its share of them: a check
// that does not end when cancelled holds its place, and one target that makes many of them do so takes none of the
// others'. Beyond a share a new check is answered at once with `busy`: a fault of the probe, by which the run is
// `probe_fault` and never bad. (What max_in_flight holds back is not started at all, and missed.)
constexpr size_t kMaxChecksInFlight = 4096;

// What each transaction may have of `total`, at least one: in proportion to its max_in_flight, and some for triggered
// runs and for those that clean up. Their sum is not above `total` unless there are that many transactions.
std::vector<size_t> shares_of(const Plan& plan, size_t total);

// Engine thread. Results go to `feed`, exactly one for each start(), also for a cancelled check: the core knows which
// it still waits for. What is left at the end is cancelled and reports to nobody; each context lives until its
// coroutine has ended, so the Io must be turned once more before it goes.
class Launcher {
 public:
  using Feed = std::function<void(Input)>;

  Launcher(io::Io& io, const Equipment& equipment, Feed feed, size_t max_in_flight = kMaxChecksInFlight);
  ~Launcher();
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  // Carries out another plan from now on. Checks under way of runs that go on report under their new ids; the others
  // report to nobody, and end as they would have. `last`: the orders for those, by the plan before; they are given
  // first, and nobody is told what comes of them either: their numbers mean other runs by then.
  void go_on_with(const Equipment& equipment, const Succession& kept, Outputs& last);

  void start(StartCheck order);
  void cancel(const CancelCheck& order);
  void cancel_all();
  size_t in_flight() const;

  // Clean-up steps for which there was no place (`busy`): those since this was last asked by transaction, and all.
  std::map<std::string, uint64_t> take_dropped() { return std::exchange(dropped_, {}); }
  uint64_t dropped() const { return all_dropped_; }

 private:
  struct Flight;
  struct Flights;

  std::shared_ptr<checks::Check> check_for(const StartCheck& order) const;
  // Nothing: it is under way. Else its result.
  std::optional<checks::CheckResult> begin(StartCheck& order);

  io::Io& io_;
  std::shared_ptr<const Plan> plan_;
  std::vector<std::vector<std::shared_ptr<checks::Check>>> checks_, finally_;
  std::shared_ptr<const config::Mask> mask_;
  size_t max_in_flight_;
  std::vector<size_t> shares_;  // by transaction
  std::shared_ptr<Flights> flights_;
  std::map<std::string, uint64_t> dropped_;
  uint64_t all_dropped_ = 0;
};

}  // namespace slosonde::engine
