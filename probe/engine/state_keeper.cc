#include "probe/engine/state_keeper.h"

#include <algorithm>
#include <utility>

namespace slosonde::engine {

StateKeeper::StateKeeper(Core& core, const Plan& plan, std::vector<std::shared_ptr<checks::Watch>> watches,
                         StateOptions options)
    : core_(core),
      watches_(std::move(watches)),
      path_(std::move(options.path)),
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

void StateKeeper::turn(Instant now) {
  if (offered_ && writer_->idle()) {
    // A file that was found damaged has lost what was offered, and all before it.
    if (!writer_->wants_whole()) committed_ = offered_;
    offered_.reset();
  }
  if (now < next_) return;
  next_ = now + every_;
  if (offered_) return;
  store::Batch batch = take_changes(writer_->wants_whole());
  offered_ = now;
  if (!batch.empty()) writer_->offer(std::move(batch));
}

store::Batch StateKeeper::take_changes(bool whole) {
  store::Batch batch = core_.take_changes(whole);
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

void StateKeeper::finish(Instant now) {
  if (writer_->finish([this](bool whole) { return take_changes(whole); })) committed_ = now;
}

StateStatus StateKeeper::status() {
  const store::WriterStatus writer = writer_->status();
  StateStatus made;
  made.path = path_;
  made.writable = writer.writable;
  made.error = writer.error;
  made.commits = writer.committed;
  made.failures = writer.failures;
  made.moved_aside = writer.moved_aside;
  made.last_aside = writer.last_aside;
  made.committed_to = committed_;
  return made;
}

}  // namespace slosonde::engine
