// Hostile files cost a bounded amount of memory. Every allocation of the process is counted, yaml-cpp's too.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/unit/config/test_kinds.h"

namespace {

std::atomic<size_t> allocated{0};  // bytes asked for since the start; frees are not taken off: it bounds the work too

void* counted(size_t size) {
  allocated += size;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(size_t size) {
  return counted(size);
}
void* operator new[](size_t size) {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

namespace slosonde::config {
namespace {

constexpr size_t kMiB = 1024 * 1024;

struct Cost {
  size_t bytes = 0;
  Problem first;
  size_t problems = 0;
};

Cost cost_of(std::string text) {
  const Source source = test::source("hostile.yaml", std::move(text));
  const std::vector<NamedBlock> kinds = test::kinds();
  const size_t before = allocated;
  const auto config = load(source, kinds);
  Cost cost{allocated - before, {}, 0};
  if (!config) {
    cost.first = config.error().list().at(0);
    cost.problems = config.error().count();
  }
  return cost;
}

std::string repeated(std::string_view piece, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += piece;
  return text;
}

TEST(Bounds, TheCounterCounts) {
  const size_t before = allocated;
  const std::string text(kMiB, 'x');
  EXPECT_GE(allocated - before, text.size());
}

TEST(Bounds, AFileOfTenMegabytesIsNotEvenLookedAt) {
  const Cost cost = cost_of("a: [" + repeated("x, ", 3'500'000) + "x]\n");
  EXPECT_EQ(cost.first.rule, Rule::file_too_large);
  EXPECT_EQ(cost.first.message, "the file is larger than 256KiB; a configuration is smaller than that");
  EXPECT_LT(cost.bytes, 16U * 1024);
}

TEST(Bounds, AnAliasBombIsNeverLit) {
  std::string text = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (char name = 'b'; name <= 'z'; ++name) {
    const std::string before = std::string("*") + static_cast<char>(name - 1);
    text.append(1, name).append(": &").append(1, name).append(" [");
    text.append(repeated(before + ", ", 8)).append(before).append("]\n");
  }
  const Cost cost = cost_of(text);
  EXPECT_EQ(cost.first.rule, Rule::unknown_key);
  EXPECT_EQ(cost.problems, 26U + 26 + 25 * 9 + 1);  // unknown keys, anchors, aliases; and no transactions
  EXPECT_LT(cost.bytes, 2 * kMiB);
}

TEST(Bounds, AThousandLevelsEndAtTheThirtyThird) {
  for (const char* piece : {"[", "{a: ", "- ", "? ", "[{a: "}) {
    const Cost cost = cost_of(repeated(piece, 1000));
    EXPECT_EQ(cost.first.rule, Rule::too_deep) << piece << " " << cost.first.message;
    EXPECT_LT(cost.bytes, 2 * kMiB) << piece;
  }
  std::string block;
  for (size_t depth = 0; depth < 600; ++depth) block += std::string(depth, ' ') + "a:\n";
  const Cost cost = cost_of(block);
  EXPECT_EQ(cost.first.rule, Rule::too_deep);
  EXPECT_LT(cost.bytes, 2 * kMiB);
}

TEST(Bounds, ThirtyTwoLevelsAreRead) {
  const std::string nested = repeated("[", 27) + repeated("]", 27);
  const auto text = [](const std::string& json) {
    return "transactions: [{name: t, every: 5s, stages: [{name: a, within: 1s, http: {url: \"http://h/\", json: " +
           json + "}}]}]\n";
  };
  // The file, its list, a transaction, its list, a stage and its check are six.
  EXPECT_EQ(cost_of(text(repeated("[", 26) + repeated("]", 26))).problems, 0U);
  EXPECT_EQ(cost_of(text(nested)).first.rule, Rule::too_deep);
}

TEST(Bounds, ManyValuesEndWhereAConfigurationWouldHave) {
  const Cost cost = cost_of("a: [" + repeated("1,", 120'000) + "1]\n");
  EXPECT_EQ(cost.first.rule, Rule::too_many_values);
  EXPECT_EQ(cost.first.message, "more than 32768 values; a configuration is smaller than that");
  EXPECT_LT(cost.bytes, 64 * kMiB);
}

TEST(Bounds, LargeFilesOfEveryShapeCostLittle) {
  const size_t kFull = kMaxFileBytes - 100;
  const auto filled = [&](std::string_view piece) { return repeated(piece, kFull / piece.size()); };
  for (const std::string_view piece :
       {"a: b\n",       "- a\n",      "a: 1, ",  "\n",    " ",        "#",  "# a\n",       "'",     "\"",
        "\"a\\x41\" ",  "|\n ",       "&a ",     "*a ",   "!a ",      "!!", "%YAML 1.2\n", "---\n", "...\n",
        "${env:TOKEN}", "{{marker}}", "}",       "]",     ",",        ": ", "? a\n",       "-\n",   "\t",
        "\\",           "한",         "<<: 1\n", "a\n\n", ">\n  a\n", "@",  "`",           "{a,",   "[a: "}) {
    const Cost cost = cost_of(filled(piece));
    EXPECT_GT(cost.problems, 0U) << piece;
    EXPECT_LT(cost.bytes, 128 * kMiB) << piece;
    const Cost quoted = cost_of("probe: {name: \"" + filled(piece) + "\"}\n");
    EXPECT_GT(quoted.problems, 0U) << piece;
    EXPECT_LT(quoted.bytes, 128 * kMiB) << piece;
  }
}

TEST(Bounds, AThousandMistakesAreCountedAndAHundredTold) {
  std::string text = "transactions:\n";
  for (int i = 0; i < 900; ++i) text += "  - {nmae: t, evry: 5, stages: [{nam: a, withn: 1, htp: {}}]}\n";
  const Cost cost = cost_of(text);
  EXPECT_GE(cost.problems, 900U);
  EXPECT_LT(cost.bytes, 64 * kMiB);
}

int variables_read = 0;

TEST(Bounds, AThousandReferencesAreFollowedAndNoMore) {
  std::string text =
      "transactions: [{name: t, every: 5s, stages: [{name: a, within: 1s, http: {url: \"http://h/\", tags: {";
  for (int i = 0; i < 1100; ++i) {
    const std::string number = std::to_string(i);
    text.append("k").append(number).append(": \"${env:A").append(number).append("}\", ");
  }
  Source source = test::source("hostile.yaml", text + "}}}]}]\n");
  source.environment = [](const std::string&) {
    ++variables_read;
    return std::optional<std::string>("x");
  };
  const auto config = load(source, test::kinds());
  ASSERT_FALSE(config);
  EXPECT_EQ(variables_read, 1024);
  EXPECT_EQ(config.error().count(), 76U);
  EXPECT_EQ(config.error().list()[0].rule, Rule::too_much_included);
  EXPECT_EQ(config.error().list()[0].message, "more than 1024 different references; include fewer files and variables");
}

TEST(Bounds, ManySlosWithUnknownNamesCostLittle) {
  std::string text = "transactions:\n";
  for (int i = 0; i < 700; ++i)
    text += "  - {name: transaction-" + std::to_string(i) +
            ", every: 5s, stages: [{name: a, within: 1s, http: {url: \"http://h/\"}}]}\n";
  text += "slos:\n";
  for (int i = 0; i < 1000; ++i)
    text += "  - {name: s" + std::to_string(i) + ", objective: 99%, sli: {transaction: transaktion-" +
            std::to_string(i) + "}}\n";
  const Cost cost = cost_of(text);
  EXPECT_EQ(cost.problems, 1000U);
  EXPECT_LT(cost.bytes, 1024 * kMiB);
}

}  // namespace
}  // namespace slosonde::config
