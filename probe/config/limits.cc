#include <algorithm>

#include "probe/config/rules.h"

namespace slosonde::config {

std::optional<size_t> index_of(const std::vector<Values>& named, std::string_view name) {
  for (size_t i = 0; i < named.size(); ++i)
    if (named[i].has("name") && named[i].text("name") == name) return i;
  return std::nullopt;
}

std::optional<size_t> origin_of(const std::vector<Values>& stages, size_t index) {
  if (!stages[index].has("from")) return std::nullopt;
  const std::optional<size_t> origin = index_of(stages, stages[index].text("from"));
  return origin && *origin < index ? origin : std::nullopt;
}

std::optional<Duration> limit_of(const std::vector<Values>& stages, size_t index) {
  Duration limit{};
  // Each turn goes to an earlier stage, so it ends.
  for (;;) {
    const Values& stage = stages[index];
    if (!stage.has("within")) return std::nullopt;
    limit += stage.duration("within");
    if (!stage.has("from")) return limit;
    const std::optional<size_t> origin = origin_of(stages, index);
    if (!origin) return std::nullopt;
    index = *origin;
  }
}

Duration longest_limit(const std::vector<Values>& stages) {
  Duration longest{};
  for (size_t i = 0; i < stages.size(); ++i) longest = std::max(longest, limit_of(stages, i).value_or(Duration{}));
  return longest;
}

bool is_never_seen(const Values& stage) {
  return stage.has("watch") && stage.block("watch").text("expect") == "none";
}

}  // namespace slosonde::config
