// Prints the JSON Schema of the tests' kinds, for schema_check.py.
#include <cstdio>

#include "tests/unit/config/test_kinds.h"

int main() {
  const std::string schema = slosonde::config::json_schema(slosonde::config::test::kinds());
  return std::fwrite(schema.data(), 1, schema.size(), stdout) == schema.size() ? 0 : 1;
}
