// Replays the fuzzer's corpus: what once went wrong stays right.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fuzz/config_input.h"
#include "tests/unit/config/test_kinds.h"

namespace slosonde::config {
namespace {

TEST(FuzzCorpus, EveryInputIsReadOrRefused) {
  size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(SLOSONDE_SOURCE_DIR "/tests/fuzz/corpus/config")) {
    SCOPED_TRACE(file.path());
    test::try_config(test::file_text(file.path()));
    ++count;
  }
  EXPECT_GE(count, 10U);
}

}  // namespace
}  // namespace slosonde::config
