// Every file under fixtures/{kafka,webhook}/bad is refused with exactly the messages beside it, and shows no secret;
// every one under good is read.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/checks/streams.h"

namespace slosonde::checks {
namespace {

std::vector<std::filesystem::path> fixtures(const std::string& kind, const std::string& folder) {
  std::vector<std::filesystem::path> found;
  const std::filesystem::path root = SLOSONDE_SOURCE_DIR "/tests/unit/checks/fixtures";
  for (const auto& file : std::filesystem::directory_iterator(root / kind / folder))
    if (file.path().extension() == ".yaml") found.push_back(file.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string text_of(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class StreamFixtures : public testing::TestWithParam<std::string> {};

TEST_P(StreamFixtures, BadOnesAreRefusedWithExactlyTheseMessages) {
  const bool update = std::getenv("UPDATE_EXPECTED") != nullptr;
  ASSERT_FALSE(fixtures(GetParam(), "bad").empty());
  for (const auto& path : fixtures(GetParam(), "bad")) {
    const auto config = test::load_streams(path.filename(), text_of(path));
    ASSERT_FALSE(config) << path << " was read, and must not be";
    const std::string text = config.error().text(path.filename().string());
    const std::string expected = std::filesystem::path(path).replace_extension(".expected");
    if (update) std::ofstream(expected) << text;
    EXPECT_EQ(text, text_of(expected)) << path;
    EXPECT_EQ(text.find("swordfish"), std::string::npos) << path << " shows a secret";
  }
}

TEST_P(StreamFixtures, GoodOnesAreRead) {
  ASSERT_FALSE(fixtures(GetParam(), "good").empty());
  for (const auto& path : fixtures(GetParam(), "good")) {
    const auto config = test::load_streams(path.filename(), text_of(path));
    EXPECT_TRUE(config) << config.error().text(path.filename().string());
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, StreamFixtures, testing::Values("kafka", "webhook"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace slosonde::checks
