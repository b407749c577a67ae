#include "probe/cli/load.h"

#include <iostream>
#include <utility>

#include "checks/catalog.h"
#include "probe/cli/exit.h"
#include "probe/config/source.h"

namespace slosonde::cli {

tl::expected<config::Config, Mistakes> load_config(const std::string& path) {
  auto source = config::open_source(path);
  if (!source) return tl::unexpected(Mistakes{source.error(), {}});
  const auto kinds = checks::named_blocks();
  auto config = config::load(*source, kinds);
  if (!config) return tl::unexpected(Mistakes{{}, std::move(config.error())});
  return std::move(*config);
}

int complain(const Mistakes& mistakes, const std::string& path) {
  if (mistakes.unreadable) {
    std::cerr << "slosonde: " << mistakes.unreadable.text << '\n';
    return kBadConfig;
  }
  std::cerr << mistakes.problems.text(path);
  const size_t n = mistakes.problems.list().size();
  std::cerr << path << ": " << n << (n == 1 ? " mistake\n" : " mistakes\n");
  return kBadConfig;
}

}  // namespace slosonde::cli
