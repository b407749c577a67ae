// Whoever adds a kind adds what belongs to it: a name and help, fixtures, an integration test, a row in the README.
#include "checks/catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "probe/config/config.h"

namespace slosonde::checks {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = SLOSONDE_SOURCE_DIR;

std::string text_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<fs::path> fixtures(std::string_view kind, const char* folder) {
  std::vector<fs::path> found;
  const fs::path place = kRoot / "tests/unit/checks/fixtures" / kind / folder;
  if (!fs::is_directory(place)) return found;
  for (const auto& file : fs::directory_iterator(place))
    if (file.path().extension() == ".yaml") found.push_back(file.path());
  std::sort(found.begin(), found.end());
  return found;
}

tl::expected<config::Config, config::Problems> load(const fs::path& path) {
  config::Source source;
  source.name = path.filename();
  source.text = text_of(path);
  source.hostname = "host";
  source.folder = "/etc/slosonde";
  source.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SECRET") return "swordfish swordfish";
    return std::nullopt;
  };
  source.read_file = [](const std::string&, size_t) -> Result<std::string> {
    return std::string("swordfish swordfish");
  };
  const auto kinds = named_blocks();
  return config::load(source, kinds);
}

class EveryKind : public testing::TestWithParam<Kind> {};

TEST_P(EveryKind, IsNamedAndOffersSomething) {
  const Kind& kind = GetParam();
  EXPECT_FALSE(kind.help.empty());
  EXPECT_TRUE(std::all_of(kind.name.begin(), kind.name.end(), [](char c) { return std::islower(c) || c == '_'; }));
  EXPECT_TRUE(kind.check || kind.watch);
  EXPECT_EQ(kind.check == nullptr, kind.check_block == nullptr);
  EXPECT_EQ(kind.watch == nullptr, kind.watch_block == nullptr);
  EXPECT_EQ(find_kind(kind.name)->help, kind.help);
}

TEST_P(EveryKind, ReadsItsGoodFixtures) {
  const auto good = fixtures(GetParam().name, "good");
  ASSERT_FALSE(good.empty());
  for (const fs::path& path : good) {
    const auto config = load(path);
    EXPECT_TRUE(config) << config.error().text(path.filename().string());
    EXPECT_NE(text_of(path).find(std::string(GetParam().name) + ":"), std::string::npos)
        << path << " does not use the kind";
  }
}

// With UPDATE_EXPECTED set, writes the messages instead: read them before they are committed.
TEST_P(EveryKind, RefusesItsBadFixturesWithTheirMessages) {
  const auto bad = fixtures(GetParam().name, "bad");
  ASSERT_FALSE(bad.empty());
  for (const fs::path& path : bad) {
    const auto config = load(path);
    ASSERT_FALSE(config) << path << " was read, and must not be";
    const std::string text = config.error().text(path.filename().string());
    const fs::path expected = fs::path(path).replace_extension(".expected");
    // The others' messages are compared by streams_fixtures_test, which knows fewer kinds to suggest.
    const bool is_ours = GetParam().name == "http" || GetParam().name == "tcp";
    if (is_ours && std::getenv("UPDATE_EXPECTED")) std::ofstream(expected) << text;
    if (is_ours) {
      EXPECT_EQ(text, text_of(expected)) << path;
    }
    EXPECT_EQ(text.find("swordfish"), std::string::npos) << path << " shows a secret";
  }
}

TEST_P(EveryKind, HasAnIntegrationTestAndARowInTheReadme) {
  const std::string kind(GetParam().name);
  const fs::path test = kRoot / "tests/integration" / ("test_" + kind + ".py");
  ASSERT_TRUE(fs::exists(test)) << test << " is missing: every kind is tested against the real thing";
  EXPECT_NE(text_of(test).find("\ndef test_"), std::string::npos) << test << " has no test";
  EXPECT_NE(text_of(test).find(kind + "\""), std::string::npos) << test << " does not use the kind";
  EXPECT_NE(text_of(kRoot / "README.md").find("| `" + kind + "` |"), std::string::npos)
      << "the README's table of kinds has no row for " << kind;
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryKind, testing::ValuesIn(catalog().begin(), catalog().end()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Catalog, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const Kind& kind : catalog()) EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
  EXPECT_EQ(named_blocks().size(), names.size());
  EXPECT_EQ(find_kind("nothing"), nullptr);
}

}  // namespace
}  // namespace slosonde::checks
