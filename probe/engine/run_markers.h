// What runs are called outside, and which run a text speaks of.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/engine/plan.h"
#include "probe/engine/run.h"
#include "probe/ledger/marker.h"

namespace slosonde::engine {

// Owns the codec of the probe's key, the streams of its transactions (all different), and what was found in the text
// last scanned. Engine thread.
class RunMarkers {
 public:
  RunMarkers(const Plan& plan, uint64_t epoch);

  uint64_t stream(uint32_t transaction) const { return streams_[transaction]; }
  ledger::MarkerId id(const RunId& run) const;
  ledger::RunTokens tokens(const RunId& run) const { return codec_.tokens(id(run)); }
  std::string payload(const RunId& run) const { return codec_.payload(id(run)); }

  // Each marker once, however often the text names it; until the next scan.
  const std::vector<ledger::MarkerHit>& scan(std::string_view text);
  // Of the text last scanned.
  bool names(const RunId& run) const;
  bool intact(const RunId& run, const StagePlan& stage);

  // Of which transaction a genuine marker is; none: another probe's.
  std::optional<uint32_t> transaction_of(const ledger::MarkerId& id) const;
  // Which run of that transaction; none: of another process, and not adopted.
  std::optional<RunId> run_of(uint32_t transaction, const ledger::MarkerId& id) const;

  // A run of an earlier process goes on as `run`, under the marker it has. Forgotten when it closes.
  void adopt(const RunId& run, const ledger::MarkerId& id);
  void closed(const RunId& run);

 private:
  ledger::MarkerCodec codec_;
  uint64_t epoch_;
  std::vector<uint64_t> streams_;                         // by transaction
  std::vector<std::pair<uint64_t, uint32_t>> by_stream_;  // ascending
  ledger::Findings findings_;
  // Runs of earlier processes, both ways.
  std::map<RunId, ledger::MarkerId> adopted_;
  std::map<ledger::MarkerId, RunId> adopted_by_marker_;
};

}  // namespace slosonde::engine
