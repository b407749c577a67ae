// The configuration read anew while the probe runs: all of it comes into force, or nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exporter/web/options.h"
#include "probe/cli/instance.h"
#include "probe/cli/log.h"
#include "probe/config/block.h"
#include "probe/config/config.h"
#include "probe/engine/snapshot.h"

namespace slosonde::cli {

// The keys of what differs and cannot be changed while the probe runs; with none of them differing, the rest can.
std::vector<std::string> restart_needed(const config::Config& before, const config::Config& after);

// The exclusions whose names are those of some that were declared to the running probe, and are not over.
config::Problems declared_names(const config::Config& config, const engine::Snapshot& running);

// Engine thread. What it is given outlives it, and it outlives the instance's loop.
class Reloader {
 public:
  Reloader(std::string path, config::Config in_force, Instance& instance, Log& log);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // Tells, and logs, what came of it; `busy` at once while another one is under way.
  using Done = std::function<void(exporter::ReloadOutcome)>;
  void reload(Done done);
  // For SIGHUP, which nobody answers: while one is under way another one follows it.
  void reload_soon();

  const config::Config& in_force() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slosonde::cli
