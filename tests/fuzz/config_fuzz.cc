#include <cstddef>
#include <cstdint>

#include "tests/fuzz/config_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  slosonde::config::test::try_config({reinterpret_cast<const char*>(data), size});
  return 0;
}
