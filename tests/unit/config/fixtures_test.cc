// Every file under bad/ is refused with exactly the messages beside it; every file under good/ is read.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/unit/config/test_kinds.h"

namespace slosonde::config {
namespace {

std::vector<std::filesystem::path> fixtures(const char* folder) {
  std::vector<std::filesystem::path> found;
  const std::filesystem::path root = SLOSONDE_SOURCE_DIR "/tests/unit/config";
  for (const auto& file : std::filesystem::directory_iterator(root / folder))
    if (file.path().extension() == ".yaml") found.push_back(file.path());
  std::sort(found.begin(), found.end());
  return found;
}

auto load_fixture(const std::filesystem::path& path) {
  return load(test::source(path.filename(), test::file_text(path)), test::kinds());
}

TEST(BadFixtures, AreRefusedWithExactlyTheseMessages) {
  const bool update = std::getenv("UPDATE_EXPECTED") != nullptr;
  for (const auto& path : fixtures("bad")) {
    const auto config = load_fixture(path);
    ASSERT_FALSE(config) << path << " was read, and must not be";
    const std::string text = config.error().text(path.filename().string());
    const std::string expected_path = std::filesystem::path(path).replace_extension(".expected");
    if (update) std::ofstream(expected_path) << text;
    EXPECT_EQ(text, test::file_text(expected_path)) << path;
    for (const std::string_view secret : test::kSecretTexts)
      EXPECT_EQ(text.find(secret), std::string::npos) << path << " shows a secret";
  }
}

TEST(BadFixtures, ThereIsOneForEveryRule) {
  std::set<Rule> seen;
  for (const auto& path : fixtures("bad")) {
    const auto config = load_fixture(path);
    ASSERT_FALSE(config) << path;
    for (const Problem& problem : config.error().list()) seen.insert(problem.rule);
  }
  // Too large for a fixture, and told apart in bounds_test.cc.
  seen.insert(Rule::file_too_large);
  seen.insert(Rule::too_many_values);
  for (int i = 0; i < kRules; ++i)
    EXPECT_TRUE(seen.contains(static_cast<Rule>(i))) << "no bad fixture for rule " << name(static_cast<Rule>(i));
}

TEST(GoodFixtures, AreRead) {
  ASSERT_FALSE(fixtures("good").empty());
  for (const auto& path : fixtures("good")) {
    const auto config = load_fixture(path);
    EXPECT_TRUE(config) << config.error().text(path.filename().string());
  }
}

}  // namespace
}  // namespace slosonde::config
