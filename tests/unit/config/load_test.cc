// The typed whole of a good file, and what holds for any text.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "probe/config/network.h"
#include "probe/config/suggest.h"
#include "tests/unit/config/test_kinds.h"

namespace slosonde::config {
namespace {

using namespace std::chrono_literals;

tl::expected<Config, Problems> read(const std::string& text) {
  return load(test::source("test.yaml", text), test::kinds());
}

constexpr const char* kSmallest =
    "transactions: [{name: t, every: 5s, stages: [{name: a, within: 2s, http: {url: \"http://h/\"}}]}]\n";

TEST(Load, ReadsTheExampleOfTheContract) {
  const auto loaded = read(test::file_text(SLOSONDE_SOURCE_DIR "/tests/unit/config/good/contract.yaml"));
  ASSERT_TRUE(loaded) << loaded.error().text("contract.yaml");
  const Config& config = *loaded;
  EXPECT_EQ(config.probe.name, "kr-a-1");
  EXPECT_EQ(config.probe.zone, "kr-a");
  EXPECT_EQ(config.probe.key.reveal(), "hush-key-from-file-0123");
  EXPECT_FALSE(config.probe.key_is_random);
  EXPECT_EQ(config.listen.address, "127.0.0.1:9465");
  EXPECT_EQ(config.hooks.listener->address, "0.0.0.0:9466");
  EXPECT_EQ(config.hooks.token.reveal(), "hush-key-from-file-0123");
  EXPECT_EQ(config.admin.listener->address, "unix:/run/slosonde/admin.sock");
  ASSERT_EQ(config.transactions.size(), 2U);

  const Transaction& journey = config.transactions[0];
  EXPECT_EQ(journey.name, "log-to-alert");
  EXPECT_EQ(journey.every, Duration(5s));
  EXPECT_EQ(journey.max_in_flight, 13U);  // 60 s of limit at 5 s, and one more
  EXPECT_EQ(journey.linger, Duration(180s));
  ASSERT_EQ(journey.stages.size(), 3U);
  EXPECT_EQ(journey.stages[0].mode, StageMode::done);
  EXPECT_EQ(journey.stages[0].use.kind, "http");
  EXPECT_EQ(journey.stages[0].use.values.text("url"), "http://127.0.0.1:8080/v1/logs");
  EXPECT_EQ(journey.stages[1].mode, StageMode::watched);
  EXPECT_EQ(journey.stages[1].use.kind, "kafka");
  EXPECT_EQ(journey.stages[1].phase, "");
  EXPECT_EQ(journey.stages[2].phase, "firing");
  EXPECT_EQ(journey.stages[2].within, Duration(60s));
  EXPECT_EQ(journey.stages[2].position.line, 15);
  EXPECT_EQ(journey.stages[2].position.column, 9);
  ASSERT_EQ(journey.finally.size(), 1U);
  EXPECT_EQ(journey.finally[0].within, Duration(10s));

  ASSERT_EQ(config.slos.size(), 2U);
  EXPECT_EQ(config.slos[0].objective_ppb, 999'000'000);
  EXPECT_EQ(config.slos[0].stage, 2U);
  EXPECT_EQ(config.slos[0].kind(), SliKind::availability);
  EXPECT_EQ(config.slos[0].labels.at(0).second, "logs");
  EXPECT_EQ(config.slos[1].faster_than, Duration(13s));
  EXPECT_EQ(config.slos[1].kind(), SliKind::latency);
  EXPECT_EQ(config.slos[1].min_bad, 2U);
}

TEST(Load, FillsInWhatIsNotGiven) {
  const auto config = read(kSmallest);
  ASSERT_TRUE(config) << config.error().text("test.yaml");
  EXPECT_EQ(config->probe.name, "test-host");
  EXPECT_TRUE(config->probe.key_is_random);
  EXPECT_EQ(config->probe.key.reveal().size(), 32U);
  EXPECT_FALSE(config->probe.key.equals(read(kSmallest)->probe.key.reveal()));
  EXPECT_EQ(config->probe.grace, Duration(10s));
  EXPECT_EQ(config->probe.settle, Duration(10min));
  EXPECT_EQ(config->probe.max_lateness, Duration(1s));
  EXPECT_EQ(config->listen.address, "127.0.0.1:9465");
  EXPECT_FALSE(config->hooks.listener);
  EXPECT_FALSE(config->admin.listener);
  EXPECT_EQ(config->log_format, LogFormat::logfmt);
  EXPECT_EQ(config->transactions[0].max_in_flight, 2U);
  EXPECT_EQ(config->transactions[0].stages[0].payload, PayloadRule::if_present);
}

TEST(Load, CountsLimitsFromTheStageNamed) {
  const auto config = read(
      "transactions:\n"
      "  - name: t\n"
      "    every: 2s\n"
      "    stages:\n"
      "      - {name: a, within: 3s, http: {url: \"http://h/\", body: \"{{marker}} {{payload}}\"}}\n"
      "      - {name: b, within: 4s, from: a, payload: required, poll: {every: 100ms, http: {url: \"http://h/\"}}}\n"
      "slos: [{name: s, objective: 0.5, sli: {transaction: t}}]\n"
      "log: {format: json}\n");
  ASSERT_TRUE(config) << config.error().text("test.yaml");
  const Transaction& transaction = config->transactions[0];
  EXPECT_EQ(transaction.stages[1].from, 0U);
  EXPECT_EQ(transaction.stages[1].mode, StageMode::polled);
  EXPECT_EQ(transaction.stages[1].poll_every, Duration(100ms));
  EXPECT_EQ(transaction.stages[1].poll_timeout, Duration(5s));
  EXPECT_EQ(transaction.stages[1].payload, PayloadRule::required);
  EXPECT_TRUE(transaction.stages[0].sends_payload);
  EXPECT_FALSE(transaction.stages[1].sends_payload);
  EXPECT_EQ(transaction.max_in_flight, 5U);  // 7 s at 2 s
  EXPECT_EQ(transaction.linger, Duration(21s));
  EXPECT_EQ(config->slos[0].objective_ppb, 500'000'000);
  EXPECT_FALSE(config->slos[0].stage);
  EXPECT_EQ(config->log_format, LogFormat::json);
}

TEST(Load, TakesAByteOrderMarkAndWindowsLineEnds) {
  std::string text = "\xEF\xBB\xBF# 한국어\nprobe: {name: \"이름\"}\n" + std::string(kSmallest);
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, "\r");
  const auto config = read(text);
  ASSERT_TRUE(config) << config.error().text("test.yaml");
  EXPECT_EQ(config->probe.name, "이름");
}

TEST(Load, CountsColumnsInCharacters) {
  const auto config = read("probe: {name: \"이름日本🎈\", nmae: x}\n" + std::string(kSmallest));
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().list()[0].position.column, 24);
}

TEST(Load, ReadsNothingFromOutsideWhenItIsGivenNoWay) {
  Source source;
  source.name = "test.yaml";
  source.text = "probe: {name: \"${env:HOME}\", key_file: /etc/hostname}\n" + std::string(kSmallest);
  const auto config = load(source, test::kinds());
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().list().size(), 2U);
}

TEST(Problems, AreInFileOrderAndBounded) {
  Problems problems;
  for (int line = 150; line > 0; --line) problems.add({line, 1}, "p", "wrong; right");
  ASSERT_EQ(problems.list().size(), Problems::kMax + 1);
  for (size_t i = 0; i < Problems::kMax; ++i) EXPECT_EQ(problems.list()[i].position.line, static_cast<int>(i) + 1);
  EXPECT_EQ(problems.list().back().message, "and 50 more mistakes; mend these first");
  EXPECT_EQ(problems.count(), 150U);
  EXPECT_EQ(problems.text("f").substr(0, 23), "f:1:1: p: wrong; right\n");
}

TEST(Rules, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i < kRules; ++i) names.insert(name(static_cast<Rule>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kRules));
  EXPECT_EQ(name(Rule::file_too_large), "file_too_large");
  EXPECT_EQ(name(Rule::admin_unused), "admin_unused");
}

TEST(Network, KnowsWhatOnlyThisMachineReaches) {
  for (const char* local :
       {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/run/x", "[0:0:0:0:0:0:0:1]:1"})
    EXPECT_TRUE(is_local(local)) << local;
  for (const char* open : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "127.0.0.1.example:1", "example:1",
                           "[::ffff:127.0.0.1]:1", "128.0.0.1:1", "nonsense"})
    EXPECT_FALSE(is_local(open)) << open;
}

TEST(Suggestion, IsMadeForSlipsOnly) {
  const std::vector<std::string_view> words = {"within", "name", "payload"};
  EXPECT_EQ(closest("witihn", words), "within");
  EXPECT_EQ(closest("withn", words), "within");
  EXPECT_EQ(closest("nam", words), "name");
  EXPECT_EQ(closest("paylaod", words), "payload");
  EXPECT_EQ(closest("every", words), "");
  EXPECT_EQ(closest("", words), "");
  EXPECT_EQ(closest(std::string(1000, 'n'), words), "");
}

}  // namespace
}  // namespace slosonde::config
