// A failing seed, made small: an earlier end, fewer faults, fewer transactions, as long as it still fails; and the
// story of the transaction that went wrong.
#pragma once

#include <string>

#include "tests/simulation/swarm/world.h"

namespace slosonde::swarm {

struct Shrunk {
  Scenario scenario;
  Failure failure;
  std::vector<std::string> story;  // what happened to the transaction's runs round the failure
};

Shrunk shrink(const Scenario& scenario);

// All of that for people, with the command that plays it again.
std::string report(const Scenario& scenario);

}  // namespace slosonde::swarm
