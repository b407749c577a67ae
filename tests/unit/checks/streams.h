// What the tests of kafka and webhook share: configurations through the real loader, and a sink that remembers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/watch.h"
#include "probe/config/config.h"

namespace slosonde::checks::test {

// A file with the kinds kafka and webhook alone. ${env:SECRET}, and every file, holds "swordfish" twice.
tl::expected<config::Config, config::Problems> load_streams(const std::string& name, const std::string& text);

// The settings of the first stage with this name; the file must hold.
config::Values stage_settings(const std::string& text, const std::string& stage);

struct Seen {
  std::string text;
  uint64_t item;
  Instant lo, hi;
  EvidencePhase phase;
  bool may_be_again = false;
};

class RememberingSink final : public WatchSink {
 public:
  void evidence(const Evidence& evidence) override {
    seen.push_back({std::string(evidence.text), evidence.item, evidence.seen_lo, evidence.seen_hi, evidence.phase,
                    evidence.may_be_again});
  }
  void covered(Instant from, Instant to) override {
    covers.emplace_back(from, to);
    trouble.reset();
  }
  void out_of_sight(const Error& error) override {
    trouble = error;
    troubles.push_back(error);
  }

  std::vector<Seen> seen;
  std::vector<std::pair<Instant, Instant>> covers;
  std::optional<Error> trouble;  // until the next covered()
  std::vector<Error> troubles;
};

}  // namespace slosonde::checks::test
