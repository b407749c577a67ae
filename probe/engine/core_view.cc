// Views: run records, snapshots, percentiles.
#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

namespace {

void append_percentiles(std::vector<Percentile>& out, Duration window, const slo::Quantiles& quantiles) {
  for (size_t i = 0; i < slo::kPercents.size(); ++i) {
    const auto& at = quantiles.at[i];
    if (!at) continue;
    const double percentile = slo::kPercents[i] / 100.0;
    out.push_back({percentile, window, Bound::point, at->point});
    if (at->lower) out.push_back({percentile, window, Bound::lower, *at->lower});
    if (at->upper) out.push_back({percentile, window, Bound::upper, *at->upper});
  }
}

}  // namespace

std::shared_ptr<const RunRecord> Core::Impl::show(Run& run) {
  if (run.shown) return run.shown;
  auto record = std::make_shared<RunRecord>();
  record->id = run.id;
  record->marker = run.tokens.marker;
  record->traceparent = run.tokens.traceparent(0);
  record->origin = run.origin;
  record->due = run.due;
  record->started = run.started;
  record->verdict = run.verdict;
  if (run.verdict) record->decided = run.decided;
  record->closed = run.closed;
  record->stages.reserve(run.stages.size());
  for (const Stage& stage : run.stages) record->stages.push_back(stage.record);
  record->finally.reserve(run.finally.size());
  for (const FinalStep& step : run.finally) record->finally.push_back(step.record);
  record->captures = run.captures;
  run.shown = record;
  return record;
}

std::shared_ptr<const RunRecord> Core::Impl::find_run(std::string_view marker) {
  const auto id = codec_.read(marker);
  if (!id || id->epoch != (options_.epoch & ledger::kMostEpoch)) return nullptr;
  const auto found = std::lower_bound(streams_.begin(), streams_.end(), std::pair(id->stream, uint32_t{0}));
  if (found == streams_.end() || found->first != id->stream) return nullptr;
  if (Run* const run = find_open(found->second, id->seq)) return show(*run);
  for (const auto& record : transactions_[found->second].kept) {
    if (record->id.seq == id->seq) return record;
  }
  return nullptr;
}

// Sorting thousands of samples is not for every scrape.
void Core::Impl::renew_percentiles(Instant now) {
  if (now - percentiles_at_ < kPercentilesEvery) return;
  percentiles_at_ = now;
  std::vector<uint32_t> scratch;
  for (Transaction& transaction : transactions_) {
    for (StageTally& stage : transaction.stages) {
      // With nothing new the windows still move on, and empty in the end.
      if (!stage.new_samples && now - stage.percentiles_at < kTickEvery) continue;
      stage.new_samples = false;
      stage.percentiles_at = now;
      if (stage.samples.size() == 0 && stage.shown.percentiles.empty()) continue;
      stage.samples.advance(now);
      stage.shown.percentiles.clear();
      for (const Duration window : slo::kQuantileWindows) {
        append_percentiles(stage.shown.percentiles, window, stage.samples.quantiles(window, now, scratch));
      }
    }
  }
}

std::shared_ptr<Snapshot> Core::Impl::snapshot(Instant now) {
  now = std::max(now, now_);
  renew_percentiles(now);
  auto made = std::make_shared<Snapshot>();
  made->at = now;
  made->wall_offset = wall_offset_;
  made->plan = plan_;
  made->started = options_.start;
  made->ready = ready();
  made->draining = draining_;
  made->start_lateness = start_lateness_;
  made->wall_steps = wall_steps_;
  for (const WatchTracking& watch : watches_) made->watches.push_back(watch.status);
  for (const SloBook& book : slos_) made->slos.push_back(book.status());
  made->transactions.reserve(transactions_.size());
  for (Transaction& transaction : transactions_) {
    TransactionStats stats = transaction.shown;
    stats.in_flight = transaction.undecided;
    stats.next_due = transaction.next_slot;
    stats.stages.reserve(transaction.stages.size());
    for (const StageTally& stage : transaction.stages) stats.stages.push_back(stage.shown);
    made->transactions.push_back(std::move(stats));
    size_t shown = 0;
    for (auto run = transaction.open.rbegin(); run != transaction.open.rend() && shown < kMostShownOpen; ++run) {
      if (!*run) continue;
      made->runs.push_back(show(**run));
      ++shown;
    }
    made->runs.insert(made->runs.end(), transaction.kept.begin(), transaction.kept.end());
  }
  // Newest first over all transactions; those in flight before closed ones.
  std::stable_sort(made->runs.begin(), made->runs.end(), [](const auto& a, const auto& b) {
    if (a->closed != b->closed) return b->closed;
    return a->due > b->due;
  });
  return made;
}

}  // namespace slosonde::engine
