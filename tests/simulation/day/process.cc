#include "tests/simulation/day/process.h"

#include <thread>
#include <utility>

#include "probe/base/wall_step.h"

namespace slosonde::day {

using std::chrono::milliseconds;

Result<std::unique_ptr<Process>> Process::begin(const Terms& terms, Pipeline& pipeline, store::FaultyFiles& files,
                                                const Machine& machine, Instant now, int number) {
  const Instant begins = now + machine.clock;
  std::unique_ptr<Process> made(new Process(begins, machine.clock, number, files));
  store::WriterOptions writing{.file = {.path = "/state.db", .vfs = files.name()},
                               .now = [begins] { return begins; },
                               .retry_first = milliseconds(1),
                               .retry_longest = milliseconds(1)};
  auto file = store::StateFile::open(writing.file, begins);
  if (!file) return fail(ErrorCode::io_failed, "it does not begin: " + file.error().text);
  if (file->moved_aside()) return fail(ErrorCode::io_failed, "a damaged file was found: " + file->moved_aside()->why);
  engine::StateOptions state;
  state.path = writing.file.path;
  state.commit_every = terms.commit_every;
  state.clock = {machine.boot, machine.clock};
  state.kept = file->take_loaded();
  const auto& before = state.kept.clock;
  state.clock_stepped =
      before && before->boot == machine.boot && std::chrono::abs(before->offset - machine.clock) > kWallStep;
  made->found_nothing_ = !state.kept.epoch;
  made->clock_was_set_ = state.clock_stepped;
  state.writer = std::make_unique<store::Writer>(std::optional(std::move(*file)), std::move(writing));
  made->writer_ = state.writer.get();
  engine::ServiceOptions options;
  options.state = std::move(state);
  options.on_notice = [self = made.get()](const engine::Notice& one) {
    if (one.kind == engine::Notice::Kind::state_lost && one.text.starts_with("at the end")) {
      self->told_of_its_end_ = true;
    }
  };
  made->service_ = std::make_unique<engine::Service>(made->io_, pipeline.equipment(made->line_), std::move(options));
  made->io_.when_settled([self = made.get()] { self->wait_for_the_writer(); });
  return made;
}

Process::~Process() {
  service_.reset();
  io_.settle();  // what was cancelled ends
}

void Process::disk_changes(int64_t nth, store::Fault fault) {
  failures_before_ = writer_->status().failures;
  faulty_ = fault != store::Fault::none;
  if (faulty_) {
    files_.fail_at(nth, fault);
  } else {
    files_.heal();
  }
  wait_for_the_writer();
}

void Process::wait_for_the_writer() {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!writer_->idle() && !hangs_) {
    if (files_.held() || (faulty_ && writer_->status().failures > failures_before_)) return;
    hangs_ = std::chrono::steady_clock::now() > patience;
    std::this_thread::yield();
  }
}

}  // namespace slosonde::day
