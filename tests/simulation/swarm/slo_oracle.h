// What one SLO must say: counts in windows, burn rates, budget, alerts. Cells, and sums over them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/swarm/facts.h"

namespace slosonde::swarm {

// Fed in the order in which things are done. Shares no code with probe/slo.
class SloOracle {
 public:
  SloOracle(const SloTerms& slo, Time every, Time start);

  // A slot or run was decided as `kind`, at the instant `at`; `excluded`: and counts in no figure.
  void count(Time at, RunVerdict kind, bool excluded);
  // Another one from now on; its tiers are the same.
  void objective(int64_t ppb) { slo_.objective_ppb = ppb; }
  // It is `now` for this SLO: windows move, alerts fire or resolve.
  void step(Time now);
  // Another process goes on: its history is read up to `at`.
  void restart(Time at);

  // How far back its windows reach, among those that move by ten seconds and those that move by a minute.
  Time longest(bool fine) const;
  // How far back counts are kept for them, where another SLO of the same SLI reaches further.
  void keep(bool fine, Time longest) { logs_[fine ? 0 : 1].kept = longest; }

  // What is different from what the core shows; empty: nothing.
  std::string compare(const SloReading& is) const;

 private:
  static constexpr size_t kKinds = 8;  // those of runs, then excluded ones: not judged, good, bad
  struct Sums {
    uint32_t of[kKinds] = {};
    uint64_t judged() const { return uint64_t{of[0]} + of[1]; }
  };
  // Counts by cells: of ten seconds, for windows up to six hours; of a minute, for longer ones.
  struct Log {
    Time cell = 0, kept = 0;
    int64_t forgotten = 0;    // cells before this one
    std::vector<Sums> cells;  // from origin_ on, as far as something has been counted; before it there is nothing
    Sums& at(int64_t index);
  };
  struct Window {
    Time length = 0;
    size_t log = 0;
    int64_t first = 0;  // cell
    Sums sums;
  };
  struct Tier {
    int64_t factor_milli = 0;
    size_t long_window = 0, short_window = 0;  // among windows_
    bool active = false;
    Time changed = 0;
  };

  void advance(Time now);
  void add_window(Time length);
  size_t window_of(Time length) const;
  void move(Window& window);
  int64_t first_cell(const Window& window) const;
  Time window_start(Time length) const;
  Time unobserved(Time length) const;
  bool over(const Tier& tier, size_t window) const;
  std::string compare(const WindowReading& is) const;

  SloTerms slo_;
  Time every_, since_, now_, origin_;
  Time budget_unsure_before_ = INT64_MIN;
  Log logs_[2];
  std::vector<Window> windows_;
  std::vector<Tier> tiers_;
};

}  // namespace slosonde::swarm
