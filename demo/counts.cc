#include "demo/counts.h"

#include <array>
#include <boost/json.hpp>

namespace slosonde::demo {

namespace {
constexpr std::array<std::string_view, kStages> kNames = {"ingest", "detect", "alert"};
}

std::string_view name(Stage stage) {
  return kNames[static_cast<size_t>(stage)];
}

std::optional<Stage> stage_named(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Stage>(i);
  }
  return std::nullopt;
}

boost::json::object to_json(const Counts& counts) {
  boost::json::object all;
  for (size_t i = 0; i < counts.size(); ++i) {
    const StageCounts& c = counts[i];
    all[kNames[i]] = boost::json::object{
        {"taken", c.taken},     {"passed", c.passed},         {"ignored", c.ignored},     {"malformed", c.malformed},
        {"failed", c.failed},   {"overflowed", c.overflowed}, {"held", c.held},           {"delayed", c.delayed},
        {"dropped", c.dropped}, {"duplicated", c.duplicated}, {"corrupted", c.corrupted}, {"refused", c.refused}};
  }
  return all;
}

}  // namespace slosonde::demo
