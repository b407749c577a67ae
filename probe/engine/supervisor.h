// Keeps one watch going: hands its reports to the core, and starts it again, ever more patiently, when it ends.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "checks/watch.h"
#include "probe/base/time.h"
#include "probe/engine/core.h"
#include "probe/io/io.h"

namespace slosonde::engine {

// The pause before a restart doubles from the first to the longest, each time shortened at random by up to half, so
// that a fleet does not come back in step; a watch that went well for `kSteady` starts over with the first.
constexpr Duration kFirstPause = std::chrono::milliseconds(200);
constexpr Duration kLongestPause = std::chrono::seconds(10);
constexpr Duration kSteady = std::chrono::minutes(1);

// Engine thread. At its end the watch is cancelled and reports to nobody; its coroutine ends with the next turn of the
// Io.
class Supervisor {
 public:
  Supervisor(io::Io& io, std::shared_ptr<checks::Watch> watch, size_t index, std::function<void(Input)> feed);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void start();
  void stop();
  void goes_by(size_t index);  // its reports, from now on
  bool running() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace slosonde::engine
