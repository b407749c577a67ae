// Evidence: which run's marker it is, and which stages it speaks for.
#include <algorithm>
#include <utility>

#include "probe/engine/core_impl.h"

namespace slosonde::engine {

namespace {

bool fits(const StagePlan& stage, const checks::Evidence& evidence) {
  return stage.phase == checks::EvidencePhase::none || stage.phase == evidence.phase;
}

}  // namespace

// A text counts each marker once, however often it names it.
void Core::Impl::take(Instant now, EvidenceSeen& seen) {
  if (seen.watch >= watches_.size()) return;
  checks::Evidence& evidence = seen.evidence;
  evidence.seen_hi = std::min(evidence.seen_hi, now);
  evidence.seen_lo = std::min(evidence.seen_lo, evidence.seen_hi);
  codec_.scan(evidence.text, findings_);
  auto& markers = findings_.markers;
  if (markers.size() > 1) {
    const auto key = [](const ledger::MarkerHit& hit) { return std::pair(hit.id, hit.genuine); };
    std::sort(markers.begin(), markers.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
    const auto same = [&](const auto& a, const auto& b) { return key(a) == key(b); };
    markers.erase(std::unique(markers.begin(), markers.end(), same), markers.end());
  }
  for (const ledger::MarkerHit& hit : markers) match(watches_[seen.watch], seen, now, hit);
}

void Core::Impl::match(WatchTracking& watch, const EvidenceSeen& seen, Instant now, const ledger::MarkerHit& hit) {
  const auto found = std::lower_bound(streams_.begin(), streams_.end(), std::pair(hit.id.stream, uint32_t{0}));
  if (!hit.genuine || found == streams_.end() || found->first != hit.id.stream) {
    return count_on_attached(watch, seen.evidence, Sighting::foreign, nullptr);
  }
  Transaction& t = transactions_[found->second];
  if (hit.id.epoch != (options_.epoch & ledger::kMostEpoch)) {
    return count_on_attached(watch, seen.evidence, Sighting::stale, &t);
  }
  if (hit.id.seq >= t.next_seq) return count_on_attached(watch, seen.evidence, Sighting::unexpected, &t);
  Run* const run = find_open(t.index, hit.id.seq);
  if (!run) return count_on_attached(watch, seen.evidence, Sighting::stale, &t);
  for (const Attached& one : watch.attached) {
    if (one.transaction == t.index && fits(stage_plan(*run, one.stage), seen.evidence)) {
      sight(*run, one.stage, seen.evidence, now);
    }
  }
}

void Core::Impl::count_on_attached(const WatchTracking& watch, const checks::Evidence& evidence, Sighting kind,
                                   const Transaction* only) {
  for (const Attached& one : watch.attached) {
    if (only && one.transaction != only->index) continue;
    if (!fits(plan_->transactions[one.transaction].stages[one.stage], evidence)) continue;
    ++transactions_[one.transaction].stages[one.stage].shown.sightings[static_cast<size_t>(kind)];
  }
}

void Core::Impl::sight(Run& run, size_t index, const checks::Evidence& evidence, Instant now) {
  Stage& stage = run.stages[index];
  const auto items_end = stage.items.begin() + stage.item_count;
  if (std::find(stage.items.begin(), items_end, evidence.item) != items_end) return;  // a redelivery
  if (stage.item_count < Stage::kKeptItems) stage.items[stage.item_count++] = evidence.item;
  const bool intact = payload_intact(run, stage_plan(run, index));
  if (stage.seen() || stage.report == Report::seen) {
    return count_sighting(run, index, intact ? Sighting::duplicate : Sighting::corrupt);
  }
  stage.report = Report::seen;
  stage.seen_lo = evidence.seen_lo;
  stage.seen_hi = evidence.seen_hi;
  stage.corrupt = !intact;
  // What is read back after a gap is decided when it is read: no count is put into a past already shown.
  stage.report_at = stage.waits_for_sight ? now : evidence.seen_hi;
  wake(run, stage.report_at);
}

// Of the text last scanned.
bool Core::Impl::payload_intact(const Run& run, const StagePlan& plan) {
  if (findings_.payloads.empty()) return !plan.payload_required;
  return findings_.has_payload(codec_.payload(marker_id(run)));
}

void Core::Impl::proceed_waiting(WatchTracking& watch, const TimeSpan& covered, Instant now) {
  auto at = watch.waiting.lower_bound({covered.from, Instant::min(), {}, 0});
  while (at != watch.waiting.end() && at->due <= covered.to) {
    if (at->until > covered.to) {
      ++at;
      continue;
    }
    if (Run* const run = find_open(at->run.transaction, at->run.seq)) wake(*run, now);
    at = watch.waiting.erase(at);
  }
}

void Core::Impl::proceed_all_waiting(WatchTracking& watch, Instant now) {
  for (const Waiting& one : watch.waiting) {
    if (Run* const run = find_open(one.run.transaction, one.run.seq)) wake(*run, now);
  }
}

}  // namespace slosonde::engine
