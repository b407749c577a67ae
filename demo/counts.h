// What went through each stage of the demo pipeline, and what was done to it.
#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

namespace slosonde::demo {

enum class Stage : uint8_t { ingest, detect, alert };
constexpr int kStages = 3;
std::string_view name(Stage stage);
std::optional<Stage> stage_named(std::string_view name);

// Records, since the start. All of the pipeline's logic is on one thread, so these are plain numbers.
struct StageCounts {
  uint64_t taken = 0;       // came in
  uint64_t passed = 0;      // went on to what follows, copies included
  uint64_t ignored = 0;     // nothing for this stage to act on
  uint64_t malformed = 0;   // could not be read
  uint64_t failed = 0;      // could not be handed on (broker or receiver did not take it)
  uint64_t overflowed = 0;  // thrown away because too many were held
  uint64_t held = 0;        // delayed at this moment
  // By fault:
  uint64_t delayed = 0, dropped = 0, duplicated = 0, corrupted = 0, refused = 0;
};

using Counts = std::array<StageCounts, kStages>;

// {"ingest": {"taken": 3, …}, …}
boost::json::object to_json(const Counts& counts);

}  // namespace slosonde::demo
