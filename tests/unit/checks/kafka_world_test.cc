// The check and the watch on the real loop, against librdkafka's mock cluster: what can be shown without a broker.
// Everything else is shown against a real one (tests/integration/test_kafka.py, tests/fault/test_kafka_faults.py).
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string>

#include "checks/kafka.h"
#include "tests/unit/checks/watching.h"

namespace slosonde::checks {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class MockCluster {
 public:
  explicit MockCluster(int brokers) {
    std::array<char, 512> text{};
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, nullptr);
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size());
    cluster_ = rd_kafka_mock_cluster_new(handle_, brokers);
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  // The first of them.
  std::string brokers() const {
    const std::string all = rd_kafka_mock_cluster_bootstraps(cluster_);
    return all.substr(0, all.find(','));
  }
  void topic(const char* name, int partitions) { rd_kafka_mock_topic_create(cluster_, name, partitions, 1); }
  void lead(const char* name, int32_t partition, int32_t broker) {
    rd_kafka_mock_partition_set_leader(cluster_, name, partition, broker);
  }
  void down() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void up() { rd_kafka_mock_broker_set_up(cluster_, 1); }
  // Every produce request from now on is answered with this.
  void refuse(rd_kafka_resp_err_t with, size_t times) {
    for (size_t i = 0; i < times; ++i) rd_kafka_mock_push_request_errors(cluster_, 0, 1, with);
  }

 private:
  rd_kafka_t* handle_;
  rd_kafka_mock_cluster_t* cluster_;
};

class KafkaWorld : public test::Watching {
 protected:
  explicit KafkaWorld(int brokers = 1) : cluster_(brokers) {}

  using Watching::start;

  std::string config(const std::string& check_more = "", const std::string& watch_more = "") const {
    std::string text = "probe: {name: p, key: \"${env:SECRET}\"}\nlisten: {address: 127.0.0.1:9465}\n";
    text.append("transactions:\n  - name: t\n    every: 5s\n    stages:\n");
    text.append("      - {name: send, within: 2s, kafka: {brokers: \"").append(cluster_.brokers());
    text.append(
        "\", topic: logs, value: \"login failed {{marker}}\", key: \"{{seq}}\", headers: {probe: \"{{probe}}\"}");
    text.append(check_more).append("}}\n");
    text.append("      - {name: see, within: 9s, watch: {kafka: {brokers: \"").append(cluster_.brokers());
    text.append("\", topic: logs, ask_every: 50ms, properties: {fetch.wait.max.ms: \"10\"}");
    text.append(watch_more).append("}}}\n");
    return text;
  }

  std::unique_ptr<Check> check(const std::string& more = "") {
    auto made = make_kafka_check(test::stage_settings(config(more), "send"), io_);
    EXPECT_TRUE(made) << made.error().text;
    return std::move(*made);
  }

  std::unique_ptr<Watch> watch(const std::string& more = "") {
    auto made = make_kafka_watch(test::stage_settings(config("", more), "see"), io_);
    EXPECT_TRUE(made) << made.error().text;
    return std::move(*made);
  }

  struct Run {
    explicit Run(io::Io& io) : context(io) {}
    RunContext context;
    std::string marker;
    std::optional<CheckResult> result;
  };

  std::unique_ptr<Run> start(Check& check, uint64_t seq, Duration within = seconds(10)) {
    auto run = std::make_unique<Run>(io_);
    run->marker = "marker-" + std::to_string(seq);
    run->context.marker = run->marker;
    run->context.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    run->context.probe = "p";
    run->context.seq = seq;
    run->context.due = io_.now();
    run->context.deadline = io_.now() + within;
    Run* const at = run.get();
    boost::asio::co_spawn(io_.executor(), check.run(run->context),
                          boost::asio::bind_cancellation_slot(
                              cancel_checks_.slot(), [at](const std::exception_ptr& thrown, CheckResult result) {
                                if (!thrown) at->result = std::move(result);
                              }));
    return run;
  }

  MockCluster cluster_;
  boost::asio::cancellation_signal cancel_checks_;
};

TEST_F(KafkaWorld, WhatIsProducedIsAcknowledgedAndSeenOnceInEveryPartition) {
  cluster_.topic("logs", 4);
  const auto watching = watch();
  start(*watching);
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty(); }));
  const auto checking = check();
  std::vector<std::unique_ptr<Run>> runs;
  for (uint64_t i = 0; i < 200; ++i) runs.push_back(start(*checking, i));
  ASSERT_TRUE(
      turn_until([&] { return std::ranges::all_of(runs, [](const auto& run) { return run->result.has_value(); }); }));
  for (const auto& run : runs) {
    EXPECT_EQ(run->result->outcome, Outcome::held) << run->result->error.text;
    EXPECT_EQ(run->result->delivery, Delivery::acked);
    EXPECT_GE(run->result->received, run->result->sent);
  }
  const Instant acked = io_.now();
  ASSERT_TRUE(turn_until([&] { return sink_.covers.back().second >= acked; }));
  // All were handed over before the time they arrived in was covered.
  ASSERT_EQ(sink_.seen.size(), 200U);
  std::set<uint64_t> items, partitions;
  for (const auto& seen : sink_.seen) {
    items.insert(seen.item);
    partitions.insert(seen.item >> 40);
    EXPECT_NE(seen.text.find("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n"),
              std::string::npos);
    EXPECT_NE(seen.text.find("tracestate: slosonde=synthetic\n"), std::string::npos);
    EXPECT_NE(seen.text.find("probe: p\n"), std::string::npos);
    EXPECT_GE(seen.lo, sink_.covers.front().second);  // not before what was proven then
    EXPECT_LE(seen.lo, seen.hi);
  }
  EXPECT_EQ(items.size(), 200U);
  EXPECT_EQ(partitions.size(), 4U);
  EXPECT_TRUE(sink_.seen[0].text.ends_with("login failed marker-" +
                                           sink_.seen[0].text.substr(0, sink_.seen[0].text.find('\n'))));
  for (size_t i = 1; i < sink_.covers.size(); ++i) EXPECT_EQ(sink_.covers[i].first, sink_.covers[i - 1].second);
  stop_watch();
}

TEST_F(KafkaWorld, ReadingBeginsAtTheEnd) {
  cluster_.topic("logs", 2);
  const auto checking = check();
  const auto early = start(*checking, 1);
  ASSERT_TRUE(turn_until([&] { return early->result.has_value(); }));
  const auto watching = watch();
  start(*watching);
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty(); }));
  const auto late = start(*checking, 2);
  ASSERT_TRUE(turn_until([&] { return !sink_.seen.empty(); }));
  EXPECT_NE(sink_.seen[0].text.find("marker-2"), std::string::npos);
  EXPECT_EQ(sink_.seen.size(), 1U);
  stop_watch();
}

TEST_F(KafkaWorld, AWatchThatIsStartedAgainMissesNothing) {
  cluster_.topic("logs", 1);
  const auto watching = watch();
  start(*watching);
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty(); }));
  stop_watch();
  const Instant stopped = sink_.covers.back().second;
  const auto checking = check();
  const auto between = start(*checking, 7);
  ASSERT_TRUE(turn_until([&] { return between->result.has_value(); }));
  start(*watching);
  const Instant restarted = io_.now();
  ASSERT_TRUE(turn_until([&] { return sink_.covers.back().second >= restarted; }));
  ASSERT_EQ(sink_.seen.size(), 1U);
  EXPECT_LE(sink_.seen[0].lo, between->result->received) << "it may be as old as what is proven";
  EXPECT_GE(sink_.seen[0].lo, stopped);
  stop_watch();
}

TEST_F(KafkaWorld, ABrokerThatIsGoneIsToldAndTheGapIsReadBack) {
  cluster_.topic("logs", 2);
  const auto watching = watch();
  start(*watching);
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty(); }));
  const auto checking = check();
  auto run = start(*checking, 1);
  ASSERT_TRUE(turn_until([&] { return run->result && sink_.seen.size() == 1; }));
  cluster_.down();
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  EXPECT_NE(sink_.trouble->text.find("topic logs on " + cluster_.brokers()), std::string::npos) << sink_.trouble->text;
  EXPECT_FALSE(is_own_fault(sink_.trouble->code));
  run = start(*checking, 2, milliseconds(500));
  ASSERT_TRUE(turn_until([&] { return run->result.has_value(); }));
  EXPECT_NE(run->result->outcome, Outcome::held);
  EXPECT_EQ(run->result->delivery, Delivery::unknown);
  EXPECT_LT(run->result->received, run->context.deadline);
  EXPECT_NE(run->result->error.text.find("topic logs on " + cluster_.brokers()), std::string::npos);
  const Instant lost = sink_.covers.back().second;
  cluster_.up();
  ASSERT_TRUE(turn_until([&] { return !sink_.trouble; }));
  EXPECT_EQ(sink_.covers.back().first, lost) << "the gap is covered, in one piece";
  run = start(*checking, 3);
  ASSERT_TRUE(turn_until([&] { return run->result.has_value(); }));
  EXPECT_EQ(run->result->outcome, Outcome::held) << run->result->error.text;
  ASSERT_TRUE(turn_until([&] { return sink_.seen.back().text.find("marker-3") != std::string::npos; }));
  stop_watch();
}

TEST_F(KafkaWorld, OfALargeMessageOnlyTheBeginningIsLookedThrough) {
  cluster_.topic("logs", 1);
  const auto watching = watch(", max_message: 1KiB");
  start(*watching);
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty(); }));
  const auto checking = check();
  const auto run = start(*checking, 1);
  run->marker = std::string(100'000, 'x');
  run->context.marker = run->marker;
  ASSERT_TRUE(turn_until([&] { return !sink_.seen.empty(); }));
  const std::string& text = sink_.seen[0].text;
  EXPECT_TRUE(text.ends_with("login failed " + std::string(1024 - 13, 'x'))) << text.size();
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  EXPECT_TRUE(is_own_fault(sink_.trouble->code));
  EXPECT_NE(sink_.trouble->text.find("raise `max_message`"), std::string::npos) << sink_.trouble->text;
  ASSERT_TRUE(turn_until([&] { return !sink_.trouble; })) << "in sight again";
  stop_watch();
}

TEST_F(KafkaWorld, ARefusedMessageSaysSo) {
  cluster_.topic("logs", 1);
  const auto checking = check();
  const auto before = start(*checking, 1);
  ASSERT_TRUE(turn_until([&] { return before->result.has_value(); }));
  cluster_.refuse(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
  const auto run = start(*checking, 2);
  ASSERT_TRUE(turn_until([&] { return run->result.has_value(); }));
  EXPECT_EQ(run->result->outcome, Outcome::refused);
  EXPECT_EQ(run->result->delivery, Delivery::refused);
  EXPECT_EQ(run->result->error.code, ErrorCode::unauthorised);
}

TEST_F(KafkaWorld, AMessageThatIsTooLargeIsRefusedAtOnce) {
  cluster_.topic("logs", 1);
  const auto checking = check(", properties: {message.max.bytes: \"1000\"}");
  const auto run = start(*checking, 1);
  run->marker = std::string(2000, 'x');
  run->context.marker = run->marker;
  ASSERT_TRUE(turn_until([&] { return run->result.has_value(); }));
  EXPECT_EQ(run->result->outcome, Outcome::refused);
  EXPECT_EQ(run->result->delivery, Delivery::refused);
  EXPECT_EQ(run->result->error.code, ErrorCode::rejected);
}

TEST_F(KafkaWorld, ACancelledSendEndsAndLeavesTheOthersAlone) {
  cluster_.topic("logs", 1);
  const auto checking = check();
  const auto first = start(*checking, 1);
  ASSERT_TRUE(turn_until([&] { return first->result.has_value(); }));
  cluster_.down();
  const auto cancelled = start(*checking, 2);
  turn_for(milliseconds(20));
  cancel_checks_.emit(boost::asio::cancellation_type::terminal);
  ASSERT_TRUE(turn_until([&] { return cancelled->result.has_value(); }));
  EXPECT_EQ(cancelled->result->delivery, Delivery::unknown);
  EXPECT_EQ(cancelled->result->error.code, ErrorCode::cancelled);
  cluster_.up();
  const auto other = start(*checking, 3);
  ASSERT_TRUE(turn_until([&] { return other->result.has_value(); }));
  EXPECT_EQ(other->result->outcome, Outcome::held) << other->result->error.text;
}

TEST_F(KafkaWorld, CancelledBeforeTheClusterWasReachedNothingWasSent) {
  cluster_.topic("logs", 1);
  cluster_.down();
  const auto checking = check();
  const auto cancelled = start(*checking, 1);
  turn_for(milliseconds(20));
  cancel_checks_.emit(boost::asio::cancellation_type::terminal);
  ASSERT_TRUE(turn_until([&] { return cancelled->result.has_value(); }));
  EXPECT_EQ(cancelled->result->delivery, Delivery::none);
  EXPECT_EQ(cancelled->result->error.code, ErrorCode::cancelled);
}

TEST_F(KafkaWorld, ManyWatchesOfOneTopicWithTheirOwnSettingsEachSeeEverything) {
  cluster_.topic("logs", 1);
  const auto one = watch();
  const auto other = watch(", max_message: 1MiB");
  start(*one);
  test::RememberingSink second;
  std::optional<Error> ended;
  boost::asio::cancellation_signal cancel;
  boost::asio::co_spawn(io_.executor(), other->watch(second),
                        boost::asio::bind_cancellation_slot(
                            cancel.slot(), [&](const std::exception_ptr&, Error error) { ended = std::move(error); }));
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty() && !second.covers.empty(); }));
  const auto checking = check();
  const auto run = start(*checking, 1);
  ASSERT_TRUE(turn_until([&] { return sink_.seen.size() == 1 && second.seen.size() == 1; }));
  cancel.emit(boost::asio::cancellation_type::terminal);
  ASSERT_TRUE(turn_until([&] { return ended.has_value(); }));
  stop_watch();
}

class KafkaWorldOfTwo : public KafkaWorld {
 protected:
  KafkaWorldOfTwo() : KafkaWorld(2) {}
};

TEST_F(KafkaWorldOfTwo, ChangesOfLeaderLoseNothing) {
  cluster_.topic("logs", 1);
  cluster_.lead("logs", 0, 1);
  const auto watching = watch();
  start(*watching);
  ASSERT_TRUE(turn_until([&] { return !sink_.covers.empty(); }));
  const auto checking = check();
  for (uint64_t i = 1; i <= 4; ++i) {
    cluster_.lead("logs", 0, 1 + static_cast<int32_t>(i % 2));
    const auto run = start(*checking, i);
    ASSERT_TRUE(turn_until([&] { return run->result.has_value(); }));
    EXPECT_EQ(run->result->outcome, Outcome::held) << run->result->error.text;
    ASSERT_TRUE(turn_until([&] { return sink_.seen.size() == i; }));
    EXPECT_TRUE(sink_.seen.back().text.ends_with("marker-" + std::to_string(i)));
    ASSERT_TRUE(covered_till_now());
  }
  EXPECT_TRUE(is_covered(sink_.covers.front().second, sink_.covers.back().second)) << "in one piece";
  for (const Error& trouble : sink_.troubles) EXPECT_FALSE(is_own_fault(trouble.code)) << trouble.text;
  stop_watch();
}

}  // namespace
}  // namespace slosonde::checks
