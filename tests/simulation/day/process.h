// One process of the probe: the whole Service on a virtual clock, with its state in SQLite on a disk that fails.
#pragma once

#include <memory>
#include <string>

#include "probe/engine/service.h"
#include "probe/store/writer.h"
#include "tests/simulation/day/pipeline.h"
#include "tests/unit/store/faulty_files.h"

namespace slosonde::day {

// Which boot of the machine it is, and where its wall clock stands: by how much it is off since the day began.
struct Machine {
  uint64_t boot = 1;
  Duration clock{};
};

class Process {
 public:
  // Goes on from the file. `now`: the machine's time.
  static Result<std::unique_ptr<Process>> begin(const Terms& terms, Pipeline& pipeline, store::FaultyFiles& files,
                                                const Machine& machine, Instant now, int number);
  // Killed: what the disk has not taken up to then it never will, as though it were dead; see to that before.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const Line& line() const { return line_; }
  engine::TestIo& io() { return io_; }
  engine::Service& service() { return *service_; }
  std::shared_ptr<const engine::Snapshot> said() const { return service_->snapshot(); }
  bool found_nothing() const { return found_nothing_; }
  bool clock_was_set() const { return clock_was_set_; }
  bool told_of_its_end() const { return told_of_its_end_; }  // that the last commit failed

  void run_until(Instant machine) { io_.run_until(line_.of(machine)); }
  // From now on the disk has a fault, or none: what the writer does about it is waited for at each instant, so that the
  // writer's thread has no influence.
  void disk_changes(int64_t nth, store::Fault fault);
  // The writer's thread neither committed nor failed nor was held by the disk for half a minute of real time.
  bool hangs() const { return hangs_; }

 private:
  Process(Instant begins, Duration offset, int number, store::FaultyFiles& files)
      : io_(begins), line_{io_, offset, number}, files_(files) {}
  void wait_for_the_writer();

  engine::TestIo io_;
  Line line_;
  store::FaultyFiles& files_;
  store::Writer* writer_ = nullptr;  // the service's
  uint64_t failures_before_ = 0;     // until the disk changed
  bool faulty_ = false;              // the disk fails, or will
  bool found_nothing_ = false, clock_was_set_ = false, told_of_its_end_ = false, hangs_ = false;
  std::unique_ptr<engine::Service> service_;
};

}  // namespace slosonde::day
