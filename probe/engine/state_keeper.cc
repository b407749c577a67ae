#include "probe/engine/state_keeper.h"

#include <algorithm>
#include <utility>

namespace slosonde::engine {

namespace {

constexpr Duration kAskAgain = std::chrono::milliseconds(10);  // whether a commit is over

}  // namespace

StateKeeper::StateKeeper(Core& core, const Plan& plan, std::vector<std::shared_ptr<checks::Watch>> watches,
                         StateOptions options)
    : core_(core),
      watches_(std::move(watches)),
      path_(std::move(options.path)),
      moved_aside_(std::move(options.moved_aside)),
      clock_(options.clock),
      writer_(std::move(options.writer)),
      every_(options.commit_every),
      told_(plan.watches.size()) {
  for (const store::KeptWatch& kept : options.kept.watches) {
    const auto is_it = [&](const WatchPlan& watch) { return watch.definition == kept.definition; };
    const auto found = std::find_if(plan.watches.begin(), plan.watches.end(), is_it);
    if (found == plan.watches.end() || kept.position.empty()) continue;
    watches_[static_cast<size_t>(found - plan.watches.begin())]->resume_from(kept.position);
  }
}

void StateKeeper::go_on_with(const Plan& plan, std::vector<std::shared_ptr<checks::Watch>> watches) {
  watches_ = std::move(watches);
  told_.assign(plan.watches.size(), {});
  wants_whole_ = true;
  next_ = Instant::min();
}

void StateKeeper::turn(Instant now, const Tell& tell) {
  tell_changes(tell);
  if (offered_ && writer_->idle()) {
    // A file that was found damaged has lost what was offered, and all before it.
    if (!writer_->wants_whole()) committed_ = offered_;
    offered_.reset();
  }
  if (now < next_) return;
  if (offered_) {  // what is due waits for what is being written, and no longer
    next_ = now + kAskAgain;
    return;
  }
  next_ = now + every_;
  const bool whole = writer_->wants_whole() || std::exchange(wants_whole_, true);
  store::Batch batch = take_changes(whole);
  offered_ = now;
  if (!batch.empty()) writer_->offer(std::move(batch));
  wants_whole_ = false;
}

void StateKeeper::tell_changes(const Tell& tell) {
  const store::WriterStatus status = writer_->status();
  if (status.moved_aside != told_status_.moved_aside) {
    tell({Notice::Kind::state_lost, path_, "a damaged state file was moved aside to " + status.last_aside});
  }
  if (status.writable != told_status_.writable) {
    const std::string text = status.writable ? "it can be written again" : status.error + "; probing goes on";
    tell({status.writable ? Notice::Kind::state_back : Notice::Kind::state_lost, path_, text});
  }
  told_status_ = status;
}

store::Batch StateKeeper::take_changes(bool whole) {
  store::Batch batch = core_.take_changes(whole);
  if (whole) batch.clock = clock_;
  std::vector<store::KeptWatch> changed;
  for (size_t w = 0; w < batch.watches.size(); ++w) {
    store::KeptWatch& watch = batch.watches[w];
    watch.position = watches_[w]->position();
    if (!whole && watch == told_[w]) continue;
    told_[w] = watch;
    changed.push_back(std::move(watch));
  }
  batch.watches = std::move(changed);
  return batch;
}

void StateKeeper::finish(Instant now, const Tell& tell) {
  if (writer_->finish([this](bool whole) { return take_changes(whole || wants_whole_); })) {
    committed_ = now;
    return;
  }
  const std::string kept = committed_ ? "what came after the last commit" : "all of it";
  tell({Notice::Kind::state_lost, path_, "at the end " + writer_->status().error + "; " + kept + " is not kept"});
}

StateStatus StateKeeper::status() {
  const store::WriterStatus writer = writer_->status();
  StateStatus made;
  made.path = path_;
  made.writable = writer.writable;
  made.error = writer.error;
  made.commits = writer.committed;
  made.failures = writer.failures;
  made.moved_aside = writer.moved_aside + (moved_aside_.empty() ? 0 : 1);
  made.last_aside = writer.last_aside.empty() ? moved_aside_ : writer.last_aside;
  made.committed_to = committed_;
  return made;
}

}  // namespace slosonde::engine
