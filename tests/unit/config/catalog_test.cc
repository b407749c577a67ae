// The real catalog against the configuration: its declarations are sound, the reference page is not stale, and the
// page's example is read. UPDATE_DOCS=1 writes docs/config.md anew.
#include "checks/catalog.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <fstream>
#include <set>

#include "probe/config/declarations.h"
#include "probe/config/scalars.h"
#include "probe/config/sections.h"
#include "tests/unit/config/test_kinds.h"

namespace slosonde::config {
namespace {

constexpr const char* kPage = SLOSONDE_SOURCE_DIR "/docs/config.md";

TEST(ReferencePage, IsNotStale) {
  const std::string page = reference_page(checks::named_blocks());
  if (std::getenv("UPDATE_DOCS") != nullptr) std::ofstream(kPage) << page;
  EXPECT_EQ(test::file_text(kPage), page) << "run this test with UPDATE_DOCS=1 to write docs/config.md anew";
}

TEST(ReferencePage, ExampleIsRead) {
  const std::string page = reference_page(checks::named_blocks());
  const size_t begin = page.find("```yaml\n") + 8;
  const std::string example = page.substr(begin, page.find("```", begin) - begin);
  ASSERT_NE(example.find("transactions:"), std::string::npos);
  const auto config = load(test::source("docs/config.md", example), checks::named_blocks());
  EXPECT_TRUE(config) << config.error().text("docs/config.md");
}

TEST(ReferencePage, HoldsEveryKeyAndPlaceholder) {
  const std::string page = reference_page(checks::named_blocks());
  for (const NamedBlock& kind : checks::named_blocks())
    for (const Block* block : {kind.check, kind.watch})
      for (size_t i = 0; block != nullptr && i < block->keys.size(); ++i)
        EXPECT_NE(page.find("| `" + std::string(block->keys[i].name) + "`"), std::string::npos) << block->keys[i].name;
  for (const std::string_view name : kPlaceholders)
    EXPECT_EQ(page.find("| `{{" + std::string(name) + "}}` |  |"), std::string::npos) << name << " is not explained";
}

// What a declaration must keep to, so that the loader can rely on it.
void expect_sound(const Block& block, std::string_view where, int depth = 0) {
  SCOPED_TRACE(std::string(where) + " (" + std::string(block.name) + ")");
  ASSERT_LT(depth, 8);
  EXPECT_FALSE(block.help.empty());
  std::set<std::string> names;
  for (const Key& key : block.keys) {
    SCOPED_TRACE(key.name);
    EXPECT_TRUE(names.insert(std::string(key.name)).second) << "declared twice";
    if (key.type == Type::secret) {
      EXPECT_TRUE(names.insert(std::string(key.name) + "_file").second) << "declared twice";
    }
    EXPECT_FALSE(key.help.empty());
    EXPECT_TRUE(key.help.ends_with('.')) << "the help is a sentence";
    EXPECT_EQ(key.type == Type::choice, !key.choices.empty());
    EXPECT_EQ(key.type == Type::block || key.type == Type::blocks, key.block != nullptr);
    EXPECT_FALSE(key.required && !key.fallback.empty()) << "what is required needs no default";
    if (!key.fallback.empty() && key.type != Type::block) {
      EXPECT_TRUE(default_of(block, key)) << "the default does not fit its own type or limits";
    }
    Key unlimited = key;
    unlimited.min = unlimited.max = {};
    for (const std::string_view limit : {key.min, key.max})
      if (!limit.empty() && key.type == Type::duration) {
        EXPECT_TRUE(read_scalar(unlimited, key.type, {limit, true, false, "the limit"})) << limit;
      }
    if (key.block != nullptr) expect_sound(*key.block(), key.name, depth + 1);
  }
}

TEST(Declarations, AreSound) {
  expect_sound(root_block(), "the file");
  for (const NamedBlock& kind : checks::named_blocks()) {
    EXPECT_TRUE(kind.check != nullptr || kind.watch != nullptr) << kind.name;
    if (kind.check != nullptr) expect_sound(*kind.check, kind.name);
    if (kind.watch != nullptr) expect_sound(*kind.watch, kind.name);
  }
}

TEST(Declarations, NoKindHasTheNameOfAKeyBesideIt) {
  for (const NamedBlock& kind : checks::named_blocks())
    for (const Block* block : {&stage_block(), &finally_block(), &poll_block(), &watch_block()})
      for (const Key& key : block->keys) EXPECT_NE(key.name, kind.name) << block->name;
}

TEST(Schema, OfTheRealKindsIsJsonAndNamesThem) {
  const boost::json::value schema = boost::json::parse(json_schema(checks::named_blocks()));
  for (const NamedBlock& kind : checks::named_blocks()) {
    if (kind.check != nullptr) {
      EXPECT_TRUE(schema.at("$defs").as_object().contains("check." + std::string(kind.name)));
    }
    if (kind.watch != nullptr) {
      EXPECT_TRUE(schema.at("$defs").as_object().contains("watch." + std::string(kind.name)));
    }
  }
}

}  // namespace
}  // namespace slosonde::config
