// A check made from a piece of configuration, and run once on the real world.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "checks/check.h"
#include "probe/config/config.h"
#include "probe/io/real.h"

namespace slosonde::checks {

// The configuration of one stage whose kind and settings are `yaml` ("http: {url: …}"), as the loader takes it.
// Ends the test program with the loader's message when it does not load.
config::Config load_stage(const std::string& yaml);

class OneCheck {
 public:
  OneCheck(io::Real& real, const std::string& yaml);

  // `polling` and the captures of `context` may be set before.
  CheckResult run(Duration patience = std::chrono::seconds(20));

  RunContext context;

 private:
  io::Real& real_;
  config::Config config_;
  std::unique_ptr<Check> check_;
};

}  // namespace slosonde::checks
