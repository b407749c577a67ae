#include "probe/engine/run_markers.h"

#include <algorithm>

namespace slosonde::engine {

RunMarkers::RunMarkers(const Plan& plan, uint64_t epoch) : codec_(plan.key), epoch_(epoch & ledger::kMostEpoch) {
  for (const TransactionPlan& transaction : plan.transactions) {
    uint64_t stream = 0;
    const auto taken = [&] { return std::find(streams_.begin(), streams_.end(), stream) != streams_.end(); };
    for (unsigned salt = 0; salt == 0 || taken(); ++salt) {
      stream = codec_.stream(plan.probe, transaction.name, salt);
    }
    by_stream_.emplace_back(stream, static_cast<uint32_t>(streams_.size()));
    streams_.push_back(stream);
  }
  std::sort(by_stream_.begin(), by_stream_.end());
}

ledger::MarkerId RunMarkers::id(const RunId& run) const {
  if (!adopted_.empty()) {
    if (const auto found = adopted_.find(run); found != adopted_.end()) return found->second;
  }
  return {streams_[run.transaction], epoch_, run.seq};
}

std::optional<RunId> RunMarkers::run_of(uint32_t transaction, const ledger::MarkerId& id) const {
  if (id.epoch == epoch_) return RunId{transaction, id.seq};
  const auto found = adopted_by_marker_.find(id);
  return found != adopted_by_marker_.end() ? std::optional(found->second) : std::nullopt;
}

void RunMarkers::adopt(const RunId& run, const ledger::MarkerId& id) {
  adopted_[run] = id;
  adopted_by_marker_[id] = run;
}

void RunMarkers::closed(const RunId& run) {
  const auto found = adopted_.find(run);
  if (found == adopted_.end()) return;
  adopted_by_marker_.erase(found->second);
  adopted_.erase(found);
}

const std::vector<ledger::MarkerHit>& RunMarkers::scan(std::string_view text) {
  codec_.scan(text, findings_);
  auto& markers = findings_.markers;
  if (markers.size() > 1) {
    const auto key = [](const ledger::MarkerHit& hit) { return std::pair(hit.id, hit.genuine); };
    std::sort(markers.begin(), markers.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
    const auto same = [&](const auto& a, const auto& b) { return key(a) == key(b); };
    markers.erase(std::unique(markers.begin(), markers.end(), same), markers.end());
  }
  return markers;
}

bool RunMarkers::names(const RunId& run) const {
  const ledger::MarkerId wanted = id(run);
  const auto is_it = [&](const ledger::MarkerHit& hit) { return hit.genuine && hit.id == wanted; };
  return std::any_of(findings_.markers.begin(), findings_.markers.end(), is_it);
}

bool RunMarkers::intact(const RunId& run, const StagePlan& stage) {
  if (findings_.payloads.empty()) return !stage.payload_required;
  return findings_.has_payload(payload(run));
}

std::optional<uint32_t> RunMarkers::transaction_of(const ledger::MarkerId& id) const {
  const auto found = std::lower_bound(by_stream_.begin(), by_stream_.end(), std::pair(id.stream, uint32_t{0}));
  if (found == by_stream_.end() || found->first != id.stream) return std::nullopt;
  return found->second;
}

}  // namespace slosonde::engine
