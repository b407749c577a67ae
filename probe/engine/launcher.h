// Carries out the core's orders: every check is a coroutine of its own, which ends by its deadline or is cancelled.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>

#include "checks/check.h"
#include "probe/engine/core.h"
#include "probe/engine/service.h"
#include "probe/io/io.h"

namespace slosonde::engine {

// At most this many checks are in flight in one process. A check that does not end when cancelled holds its place; with
// all places held, a new one is answered at once with `busy` (a fault of the probe) instead of growing without bound.
constexpr size_t kMaxChecksInFlight = 4096;

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

  void start(StartCheck order);
  void cancel(const CancelCheck& order);
  void cancel_all();
  size_t in_flight() const;

 private:
  struct Flight;
  struct Flights;

  std::shared_ptr<checks::Check> check_for(const StartCheck& order) const;

  io::Io& io_;
  std::shared_ptr<const Plan> plan_;
  std::vector<std::vector<std::shared_ptr<checks::Check>>> checks_, finally_;
  size_t max_in_flight_;
  std::shared_ptr<Flights> flights_;
};

}  // namespace slosonde::engine
