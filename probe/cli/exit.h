// Exit codes, part of the contract with scripts.
#pragma once

namespace slosonde::cli {

enum Exit : int {
  kGood = 0,
  kBad = 1,           // a run was bad; the daemon could not start, or lost what it was to keep at its end
  kBadConfig = 2,     // or wrong usage
  kInconclusive = 3,  // could not judge, could not reach the probe
};

}  // namespace slosonde::cli
