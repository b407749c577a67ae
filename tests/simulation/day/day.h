// A part of a day of the whole probe: one process after the other on one disk, the pipeline they probe, all that goes
// wrong, and the ledger that judges what they say.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "tests/simulation/day/ledger.h"
#include "tests/simulation/day/process.h"

namespace slosonde::day {

struct Outcome {
  std::string failure;  // empty: none
  uint64_t runs = 0, judged = 0, exact = 0, carried = 0;
  uint64_t processes = 0, cuts = 0, cuts_in_commits = 0, commits = 0, failed_commits = 0, held = 0, acknowledged = 0;
  Tally verdicts{};
  uint64_t digest = 0;
};

class Day {
 public:
  explicit Day(const Terms& terms);
  Outcome run();

 private:
  using Random = simulation::Random;

  void plan(Fault fault, const std::function<void(Random&)>& what);
  void plan_all();
  void begin_process();
  void end_process(bool power_cut, Random& random);
  void stop_process(Duration grace, Duration down);
  void die_in_a_commit(int64_t operation);
  void disk_fails(store::Fault fault, int64_t operation, Duration length);
  void suspend(size_t transaction, bool on);
  void set_clock(Duration by);
  void pass_to(Instant when);
  void look();
  void buried(Duration down);  // the process is over
  void check_the_file();
  void fail(const std::string& text);

  const Terms& terms_;
  Pipeline pipeline_;
  Ledger ledger_;
  store::FaultyFiles files_;
  std::unique_ptr<Process> process_;  // none: it is down
  Machine machine_;
  Instant now_, end_;
  std::multimap<Instant, std::function<void()>> happenings_;
  uint64_t disk_ = 0;  // how often it has changed
  bool disk_fails_ = false, disk_is_full_ = false;
  std::vector<uint64_t> orders_;  // to suspend or resume, by transaction
  int processes_ = 0;
  bool stopped_ = false;  // by itself
  std::mt19937_64 sectors_;
  Outcome outcome_;
};

}  // namespace slosonde::day
