// Commits what is to survive the process: one batch after the other, each a consistent cut of core and watches.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/watch.h"
#include "probe/engine/core.h"
#include "probe/engine/plan.h"
#include "probe/engine/snapshot.h"
#include "probe/store/writer.h"

namespace slosonde::engine {

// What the service needs to keep state.
struct StateOptions {
  std::string path;                       // for views
  std::unique_ptr<store::Writer> writer;  // none: nothing is kept
  store::Batch kept;                      // what an earlier process left
  store::KeptClock clock;                 // this process's
  bool clock_stepped = false;             // between that process and this one
  std::string moved_aside;                // a damaged file, at the start: where it lies now, and what was wrong with it
  Duration commit_every{};
};

// Engine thread. Commits are at most `commit_every` apart, as long as the disk keeps up; what changes while one is
// being written goes into the next.
class StateKeeper {
 public:
  // The core outlives it. The watches are told the positions that were kept.
  StateKeeper(Core& core, const Plan& plan, std::vector<std::shared_ptr<checks::Watch>> watches, StateOptions options);

  // The core has gone on with another plan: everything is committed anew, as one batch, as soon as the writer is free.
  void go_on_with(const Plan& plan, std::vector<std::shared_ptr<checks::Watch>> watches);

  // Between two turns. Tells when the state cannot be written any more, and when it can again.
  using Tell = std::function<void(const Notice&)>;
  void turn(Instant now, const Tell& tell);
  // What there is now is committed with the next turn, as soon as the disk allows it.
  void hurry() { next_ = Instant::min(); }
  // Whether all that was known by `t` is committed, or cannot be just now.
  bool settled(Instant t) const { return (committed_ && *committed_ >= t) || !writer_->status().writable; }
  // When turn() has something to do again.
  Instant next_due() const { return next_; }
  // Commits the last batch and ends; blocks for as long as that takes. Tells when it could not be committed.
  void finish(Instant now, const Tell& tell);

  StateStatus status();

 private:
  store::Batch take_changes(bool whole);
  void tell_changes(const Tell& tell);

  Core& core_;
  std::vector<std::shared_ptr<checks::Watch>> watches_;
  std::string path_, moved_aside_;
  store::KeptClock clock_;
  std::unique_ptr<store::Writer> writer_;
  Duration every_;
  bool wants_whole_ = false;  // what was taken last did not get as far as the writer
  store::WriterStatus told_status_;
  Instant next_ = Instant::min();
  std::optional<Instant> offered_;  // the cut that is being written
  std::optional<Instant> committed_;
  std::vector<store::KeptWatch> told_;  // by watch, as last offered
};

}  // namespace slosonde::engine
