// The configuration as every command reads it.
#pragma once

#include <string>

#include "probe/config/config.h"

namespace slosonde::cli {

// Why there is no configuration: the file cannot be read, or what is wrong in it.
struct Mistakes {
  Error unreadable;
  config::Problems problems;
  std::string file = {};  // where they are, if not in the configuration itself
};

tl::expected<config::Config, Mistakes> load_config(const std::string& path);

// Writes the mistakes to stderr, one a line, and their number. Gives the exit code.
int complain(const Mistakes& mistakes, const std::string& path);

}  // namespace slosonde::cli
