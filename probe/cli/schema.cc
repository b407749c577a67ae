#include <iostream>

#include "checks/catalog.h"
#include "probe/cli/commands.h"
#include "probe/cli/exit.h"
#include "probe/config/config.h"

namespace slosonde::cli {

int schema(const SchemaOptions& options) {
  const auto kinds = checks::named_blocks();
  std::cout << (options.reference ? config::reference_page(kinds) : config::json_schema(kinds));
  std::cout.flush();
  return std::cout ? kGood : kBad;
}

}  // namespace slosonde::cli
