// A run as `once` and `trigger` show it.
#pragma once

#include <boost/json/value.hpp>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "probe/base/result.h"

namespace slosonde::cli {

struct StageView {
  std::string name;
  std::string verdict;  // empty while open
  bool bad = false;
  std::optional<double> latency_s, hop_s;
  std::string wrong;  // what was wrong, for people
};

struct RunView {
  std::string transaction, marker;
  std::string verdict;  // of the run; empty while in flight
  bool over = false;    // nothing is left to wait for, the clean-up included
  std::vector<StageView> stages;
  std::vector<StageView> finally;
};

// From the JSON of /api/v1/runs/<id>, which `once --json` prints too; `malformed` when it is none.
Result<RunView> run_view(const boost::json::value& run);

// The run's line and its stages as a table; of the clean-up only what went wrong.
void print_run(std::ostream& out, const RunView& run, bool colour);

// The exit code for runs that are over: bad before "could not judge" before good.
int exit_code(const std::vector<RunView>& runs);

}  // namespace slosonde::cli
