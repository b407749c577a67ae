#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "probe/engine/equip.h"
#include "tests/unit/engine/launcher_world.h"

namespace slosonde::engine {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A kind that sends anything and watches places; what is to be refused says so.
constexpr std::array<config::Key, 2> kSendKeys = {{
    {.name = "text", .type = config::Type::text_template, .help = "What is sent.", .required = true},
    {.name = "refused", .type = config::Type::boolean, .help = "Not to be made.", .fallback = "false"},
}};
constexpr std::array<config::Key, 3> kPlaceKeys = {{
    {.name = "speed", .type = config::Type::integer, .help = "How fast.", .fallback = "1"},
    {.name = "place", .type = config::Type::text, .help = "Where it comes.", .required = true},
    {.name = "refused", .type = config::Type::boolean, .help = "Not to be made.", .fallback = "false"},
}};
const config::Block& send_block() {
  static const config::Block block{.name = "send", .help = "Sends.", .keys = kSendKeys};
  return block;
}
const config::Block& place_block() {
  static const config::Block block{.name = "place", .help = "A place.", .keys = kPlaceKeys};
  return block;
}
Result<std::unique_ptr<checks::Check>> make_check(const config::Values& settings, io::Io&) {
  if (settings.boolean("refused")) return fail(ErrorCode::io_failed, "the file is not there");
  return std::make_unique<TestCheck>(nullptr);
}
Result<std::unique_ptr<checks::Watch>> make_watch(const config::Values& settings, io::Io&) {
  if (settings.boolean("refused")) return fail(ErrorCode::io_failed, "the place is closed");
  return std::make_unique<TestWatch>(nullptr);
}
const std::array<checks::Kind, 1> kKinds = {checks::Kind{.name = "mail",
                                                         .help = "mail",
                                                         .check_block = send_block,
                                                         .watch_block = place_block,
                                                         .check = make_check,
                                                         .watch = make_watch}};

config::Config config_of(const std::string& text) {
  const std::array<config::NamedBlock, 1> kinds = {config::NamedBlock{"mail", &send_block(), &place_block()}};
  config::Source source;
  source.name = "test.yaml";
  source.text = text;
  source.hostname = "host";
  auto loaded = config::load(source, kinds);
  EXPECT_TRUE(loaded) << loaded.error().text("test.yaml");
  return loaded ? std::move(*loaded) : config::Config();
}

constexpr const char* kTwoTransactions = R"(
probe: {name: p, region: r, zone: z, settle: 3s, max_lateness: 2s}
transactions:
  - name: one
    every: 5s
    stages:
      - {name: send, within: 2s, mail: {text: "{{marker}}"}}
      - {name: here, within: 4s, watch: {mail: {place: here}}}
      - {name: there, within: 3s, from: here, watch: {mail: {place: there}}}
    finally:
      - {name: clean, mail: {text: "bye {{payload}}"}}
  - name: two
    every: 10s
    stages:
      - {name: send, within: 2s, mail: {text: "{{marker}}"}}
      - {name: here, within: 4s, watch: {mail: {speed: 1, place: here}}}
      - {name: faster, within: 4s, watch: {mail: {place: here, speed: 2}}}
slos:
  - {name: s, objective: 99.9%, window: 30d, sli: {transaction: two, stage: here, faster_than: 3s}}
)";

TEST(Equip, ThePlanSaysWhatTheConfigurationSays) {
  const Plan plan = plan_from(config_of(kTwoTransactions));
  EXPECT_EQ(plan.probe, "p");
  EXPECT_EQ(plan.region, "r");
  EXPECT_EQ(plan.zone, "z");
  EXPECT_EQ(plan.settle, Duration(3s));
  EXPECT_EQ(plan.max_lateness, Duration(2s));
  ASSERT_EQ(plan.transactions.size(), 2U);
  const TransactionPlan& one = plan.transactions[0];
  EXPECT_EQ(one.name, "one");
  EXPECT_EQ(one.every, Duration(5s));
  EXPECT_GE(one.max_in_flight, 2U) << "a run may take 7 s, and one starts every 5";
  ASSERT_EQ(one.stages.size(), 3U);
  EXPECT_EQ(one.stages[0].mode, StageMode::done);
  EXPECT_EQ(one.stages[1].mode, StageMode::watched);
  EXPECT_EQ(one.stages[1].within, Duration(4s));
  EXPECT_FALSE(one.stages[1].from);
  EXPECT_EQ(one.stages[2].from, 1U);
  ASSERT_EQ(one.finally.size(), 1U);
  EXPECT_EQ(one.finally[0].name, "clean");
  EXPECT_FALSE(one.stages[0].sends_payload);
  EXPECT_TRUE(one.finally[0].sends_payload);
  ASSERT_EQ(plan.slos.size(), 1U);
  EXPECT_EQ(plan.slos[0].transaction, 1U);
  EXPECT_EQ(plan.slos[0].stage, 1U);
  EXPECT_EQ(plan.slos[0].faster_than, Duration(3s));
  EXPECT_EQ(plan.slos[0].objective_ppb, 999'000'000);
}

TEST(Equip, StagesWithEqualSettingsShareOneWatchAndNamesAreTheirOwn) {
  const Plan plan = plan_from(config_of(kTwoTransactions));
  std::vector<std::string> names;
  names.reserve(plan.watches.size());
  for (const auto& watch : plan.watches) names.push_back(watch.name);
  EXPECT_THAT(names, testing::ElementsAre("mail here", "mail there", "mail here #2"));
  EXPECT_EQ(plan.transactions[0].stages[1].watch, 0U);
  EXPECT_EQ(plan.transactions[0].stages[2].watch, 1U);
  EXPECT_EQ(plan.transactions[1].stages[1].watch, 0U) << "a default that is written is the same as one that is not";
  EXPECT_EQ(plan.transactions[1].stages[2].watch, 2U);
}

TEST(Equip, MakesACheckForEachStageThatActsAndEachWatchOnce) {
  TestIo io;
  const auto made = equip(config_of(kTwoTransactions), kKinds, io);
  ASSERT_TRUE(made) << made.error().text("test.yaml");
  ASSERT_EQ(made->checks.size(), 2U);
  EXPECT_THAT(made->checks[0], testing::ElementsAre(testing::NotNull(), testing::IsNull(), testing::IsNull()));
  EXPECT_THAT(made->finally[0], testing::ElementsAre(testing::NotNull()));
  EXPECT_TRUE(made->finally[1].empty());
  EXPECT_EQ(made->watches.size(), 3U);
}

TEST(Equip, EverythingThatCannotBeMadeIsAMistakeWithItsPlace) {
  TestIo io;
  const auto made = equip(config_of(R"(transactions:
  - name: one
    every: 5s
    stages:
      - name: send
        within: 2s
        mail: {text: "{{marker}}", refused: true}
      - name: here
        within: 4s
        watch:
          mail: {place: here, refused: true}
    finally:
      - {name: clean, mail: {text: bye, refused: true}}
)"),
                          kKinds, io);
  ASSERT_FALSE(made);
  const std::string text = made.error().text("test.yaml");
  EXPECT_EQ(made.error().list().size(), 3U) << text;
  EXPECT_THAT(text, HasSubstr("test.yaml:7:15: transactions[0].stages[0].mail: the file is not there"));
  EXPECT_THAT(text, HasSubstr("test.yaml:11:17: transactions[0].stages[1].watch.mail: the place is closed"));
  EXPECT_THAT(text, HasSubstr("test.yaml:13:29: transactions[0].finally[0].mail: the file is not there"));
}

TEST(Equip, AKindThatIsNotThereIsAMistakeNotACrash) {
  TestIo io;
  const auto made = equip(config_of(kTwoTransactions), {}, io);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().text("test.yaml"), HasSubstr("there is no check of kind mail"));
  EXPECT_THAT(made.error().text("test.yaml"), HasSubstr("there is no watch of kind mail"));
}

}  // namespace
}  // namespace slosonde::engine
