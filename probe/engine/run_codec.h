// A run in flight as bytes, for the store, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/engine/plan.h"
#include "probe/engine/run_state.h"

namespace slosonde::engine {

// Stands for what a stored run must fit: the stages of its transaction, with their modes and limits, and its clean-up.
uint64_t shape_of(const TransactionPlan& plan);

// `latencies`: the definitions of the SLIs in Run::latency, in its order.
std::string encode(const Run& run, const TransactionPlan& plan, std::span<const std::string> latencies);

// What can be said of a kept run whatever its transaction looks like now.
struct RunHead {
  uint64_t shape = 0;
  Instant due{};
  bool decided = false;                     // it has its verdict, which was counted
  std::vector<std::string> open_stages;     // names of those without, which were not
  std::vector<std::string> open_latencies;  // definitions of the latency SLIs that it still owed an event
};
std::optional<RunHead> decode_head(std::string_view bytes);

// Nothing where the bytes are of no run of this plan. Id and tokens are the caller's to fill in. `latencies` as the
// configuration has them now: an SLI the run did not know counts nothing of it.
std::optional<Run> decode(std::string_view bytes, const TransactionPlan& plan, std::span<const std::string> latencies);

}  // namespace slosonde::engine
