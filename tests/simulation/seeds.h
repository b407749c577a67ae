// Which seeds a command plays, as both commands of the simulations are told.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace slosonde::simulation {

struct Seeds {
  uint64_t first = 1, seeds = 0;
  bool verdict_alone = false;  // one line for a seed that fails, and no more after it
};

// `other`(key, value): whether it is an option of the command's own. False: what is said makes no sense.
template <class Other>
bool read(int argc, char** argv, Seeds& seeds, const Other& other) {
  for (int i = 1; i < argc; i += 2) {
    if (std::string_view(argv[i]) == "--verdict") {
      seeds.verdict_alone = true;
      --i;
      continue;
    }
    const std::string_view key = argv[i], text = i + 1 < argc ? argv[i + 1] : "";
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > 1'000'000'000) return false;
    if (key == "--seed") {
      seeds.first = value;
      seeds.seeds = 1;
    } else if (key == "--seeds") {
      seeds.seeds = value;
    } else if (key == "--from") {
      seeds.first = value;
    } else if (!other(key, value)) {
      return false;
    }
  }
  return true;
}

}  // namespace slosonde::simulation
