// What a watch makes of what a topic's reader tells it, in an order that a real broker shows once in a thousand times.
#include "checks/kafka_watch.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/checks/late_io.h"
#include "tests/unit/checks/watching.h"

namespace slosonde::checks {
namespace {

using std::chrono::milliseconds;

// A topic and its reader in one, as librdkafka and a broker behave.
class ScriptedTopic final : public KafkaReader {
 public:
  explicit ScriptedTopic(size_t partitions) : logs(partitions), event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~ScriptedTopic() override { close(event_); }
  ScriptedTopic(const ScriptedTopic&) = delete;
  ScriptedTopic& operator=(const ScriptedTopic&) = delete;

  struct Log {
    int64_t low = 0;
    std::vector<std::string> messages;  // from offset 0 on, those below `low` deleted
    int64_t end() const { return static_cast<int64_t>(messages.size()); }
  };
  std::vector<Log> logs;
  bool missing = false;                 // the topic
  bool answers = true;                  // else they are kept back
  bool fetches = true;                  // else nothing is handed out
  int32_t cannot_start = -1;            // this partition
  std::map<int32_t, int64_t> reading;   // the next offset of each partition that is read
  std::vector<std::string> mistakes;    // what librdkafka forbids
  std::vector<KafkaRestart> restarted;  // all that were asked for
  size_t questions = 0;
  Error silence;  // what the next answer comes to, where it is not none

  // As when the asking thread comes round: the ends are those of the question, the restarts come after.
  void answer() {
    answers = true;
    if (!asking_ || ready_) return;
    if (silence) answer_.error = std::exchange(silence, {});
    if (!answer_.error)
      for (const KafkaRestart& restart : wanted_) stop(restart);
    ready_ = true;
    wake();
  }
  void put(int32_t partition, std::string text) {
    logs[partition].messages.push_back(std::move(text));
    fetch(partition);
  }
  void trouble(int32_t partition, rd_kafka_resp_err_t code) {
    items_.push_back({KafkaItem::Kind::trouble, partition, 0, "", code});
    wake();
  }
  bool drained() const { return items_.empty(); }
  void fetch(int32_t partition) {
    if (!fetches || !reading.contains(partition)) return;
    int64_t& next = reading[partition];
    const Log& log = logs[partition];
    if (next < log.low || next > log.end()) return trouble(partition, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET);
    for (; next < log.end(); ++next)
      items_.push_back({KafkaItem::Kind::message, partition, next, log.messages[next], RD_KAFKA_RESP_ERR_NO_ERROR});
    items_.push_back({KafkaItem::Kind::end, partition, next, "", RD_KAFKA_RESP_ERR__PARTITION_EOF});
    wake();
  }

  int descriptor() const override { return event_; }
  void clear() const override {
    uint64_t count = 0;
    (void)!read(event_, &count, sizeof count);
  }
  void ask(std::vector<KafkaRestart> restarts) override {
    if (asking_) mistakes.emplace_back("two questions at a time");
    asking_ = true;
    ++questions;
    answer_ = {};
    if (missing) {
      answer_.error = {ErrorCode::rejected, "no such topic"};
      answer_.no_such_topic = true;
    } else {
      for (const Log& log : logs) answer_.ends.push_back(log.end());
    }
    wanted_ = std::move(restarts);
    ready_ = false;
    if (answers) answer();
  }
  bool asking() const override { return asking_; }
  std::optional<KafkaAnswer> take_answer() override {
    if (!asking_ || !ready_) return std::nullopt;
    asking_ = false;
    return answer_;
  }
  Error start(int32_t partition, int64_t offset) override {
    if (reading.contains(partition)) mistakes.emplace_back("started twice");
    if (partition == cannot_start) return {ErrorCode::no_memory, "no thread"};
    reading[partition] = offset;
    fetch(partition);
    return {};
  }
  Drained drain(int max_items, size_t, const std::function<void(const KafkaItem&)>& take) override {
    Drained drained;
    while (!items_.empty() && drained.items < max_items) {
      const Item item = items_.front();
      items_.pop_front();
      take({.kind = item.kind,
            .partition = item.partition,
            .offset = item.offset,
            .value = item.value,
            .code = item.code,
            .text = "as scripted"});
      ++drained.items;
    }
    drained.empty = items_.empty();
    return drained;
  }

 private:
  struct Item {
    KafkaItem::Kind kind;
    int32_t partition;
    int64_t offset;
    std::string value;
    rd_kafka_resp_err_t code;
  };

  void stop(const KafkaRestart& restart) {
    restarted.push_back(restart);
    reading.erase(restart.partition);
    std::erase_if(items_, [&](const Item& item) { return item.partition == restart.partition; });
    KafkaStopped stopped{.partition = restart.partition, .offset = restart.position};
    if (restart.partition >= static_cast<int32_t>(logs.size())) {
      stopped.gone = true;
    } else if (const Log& log = logs[restart.partition]; restart.anew || restart.position > log.end()) {
      stopped.offset = log.low;
      stopped.lost = true;
    } else {
      stopped.offset = std::max(restart.position, log.low);
      stopped.lost = stopped.offset != restart.position;
    }
    answer_.stopped.push_back(stopped);
  }
  void wake() const {
    const uint64_t one = 1;
    (void)!write(event_, &one, sizeof one);
  }

  const int event_;
  std::deque<Item> items_;
  bool asking_ = false, ready_ = false;
  std::vector<KafkaRestart> wanted_;
  KafkaAnswer answer_;
};

class KafkaWatching : public test::Watching {
 protected:
  void begin(size_t partitions, size_t messages = 0) {
    auto made = std::make_unique<ScriptedTopic>(partitions);
    topic_ = made.get();
    for (auto& log : topic_->logs) log.messages.assign(messages, "old");
    watch_ = std::make_unique<KafkaWatch>(
        KafkaWatchSettings{
            .topic = "logs", .brokers = "kafka:9092", .ask_every = milliseconds(20), .max_message = 1000},
        late_io_, std::move(made));
    Watching::start(*watch_);
  }
  bool ready() {
    return turn_until([&] { return !sink_.covers.empty(); });
  }
  bool sees(const std::string& text) {
    return turn_until(
        [&] { return std::ranges::any_of(sink_.seen, [&](const auto& one) { return one.text == text; }); });
  }
  bool told(std::string_view words) const {
    return std::ranges::any_of(sink_.troubles, [&](const Error& one) { return one.text.find(words) != one.text.npos; });
  }
  bool told_of_the_place() const {
    return std::ranges::any_of(sink_.troubles, [](const Error& one) { return !is_own_fault(one.code); });
  }
  void TearDown() override {
    stop_watch();
    EXPECT_EQ(topic_->mistakes, std::vector<std::string>{});
  }

  test::LateIo late_io_{io_};
  ScriptedTopic* topic_ = nullptr;  // the watch's
  std::unique_ptr<KafkaWatch> watch_;
};

TEST_F(KafkaWatching, APartitionThatReachedItsEndBeforeItsRestartWasAnsweredIsInSightAgain) {
  begin(2);
  ASSERT_TRUE(ready());
  topic_->answers = false;
  topic_->trouble(0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  topic_->answer();
  topic_->answers = false;
  const size_t asked = topic_->questions;
  ASSERT_TRUE(turn_until([&] { return topic_->questions > asked && topic_->drained(); }));
  topic_->answer();
  ASSERT_TRUE(covered_till_now()) << "no message came, and none is to be waited for";
  EXPECT_FALSE(sink_.trouble);
  EXPECT_EQ(topic_->restarted.size(), 1U);
}

TEST_F(KafkaWatching, WhatCameWhileTheEndsWereAskedForIsNoShrunkenTopic) {
  begin(1);
  ASSERT_TRUE(ready());
  for (int i = 0; i < 5; ++i) {
    topic_->answers = false;
    ASSERT_TRUE(turn_until([&] { return topic_->asking(); }));
    const std::string text = "new " + std::to_string(i);
    topic_->put(0, text);
    ASSERT_TRUE(sees(text));
    topic_->answer();
    ASSERT_TRUE(covered_till_now());
  }
  EXPECT_TRUE(sink_.troubles.empty()) << sink_.troubles.front().text;
  EXPECT_TRUE(topic_->restarted.empty());
}

TEST_F(KafkaWatching, WhereOnePartitionCannotBeStartedTheOthersAreNotStartedTwice) {
  auto made = std::make_unique<ScriptedTopic>(3);
  topic_ = made.get();
  topic_->cannot_start = 1;
  watch_ = std::make_unique<KafkaWatch>(
      KafkaWatchSettings{.topic = "logs", .brokers = "kafka:9092", .ask_every = milliseconds(20)}, io_,
      std::move(made));
  Watching::start(*watch_);
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  EXPECT_TRUE(is_own_fault(sink_.trouble->code));
  EXPECT_TRUE(sink_.covers.empty());
  topic_->put(0, "early");
  topic_->cannot_start = -1;
  ASSERT_TRUE(covered_till_now());
  EXPECT_TRUE(sees("early")) << "what was started is read from where it was";
  EXPECT_EQ(topic_->reading.size(), 3U);
}

TEST_F(KafkaWatching, ANewPartitionThatCannotBeStartedIsTriedAgain) {
  begin(1);
  ASSERT_TRUE(ready());
  topic_->cannot_start = 1;
  topic_->logs.resize(2);
  topic_->put(1, "in the new one");
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  const Instant blind = io_.now();
  turn_for(milliseconds(100));
  EXPECT_LT(sink_.covers.back().second, blind);
  topic_->cannot_start = -1;
  ASSERT_TRUE(sees("in the new one"));
  ASSERT_TRUE(covered_till_now());
}

TEST_F(KafkaWatching, AMessageNotLookedThroughLeavesItsTimeUncoveredByOurFault) {
  begin(2);
  ASSERT_TRUE(ready());
  ASSERT_TRUE(covered_till_now());
  const Instant before = io_.now();
  turn_for(milliseconds(1));
  topic_->put(1, std::string(1001, 'x'));
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  EXPECT_EQ(sink_.trouble->code, ErrorCode::busy);
  EXPECT_TRUE(told("partition 1: the message at offset 0 has 1001 bytes"));
  EXPECT_TRUE(told("raise `max_message`"));
  EXPECT_EQ(sink_.seen.back().text, std::string(1000, 'x')) << "its beginning is looked through";
  const Instant after = io_.now();
  ASSERT_TRUE(turn_until([&] { return !sink_.trouble; }));
  ASSERT_TRUE(covered_till_now());
  EXPECT_FALSE(is_covered(before, after));
  topic_->put(1, std::string(1000, 'y'));
  ASSERT_TRUE(sees(std::string(1000, 'y')));
  ASSERT_TRUE(covered_till_now());
  EXPECT_TRUE(is_covered(after + milliseconds(60), io_.now() - milliseconds(60))) << "one of the full size is whole";
  EXPECT_EQ(sink_.troubles.size(), 1U);
}

TEST_F(KafkaWatching, WhileEveryMessageIsTooLongItStaysOutOfSightAndSaysSoOnce) {
  begin(1);
  ASSERT_TRUE(ready());
  for (int i = 0; i < 20; ++i) {
    topic_->put(0, std::string(2000, 'x'));
    const size_t asked = topic_->questions;
    ASSERT_TRUE(turn_until([&] { return topic_->questions > asked; }));
  }
  EXPECT_LE(sink_.troubles.size(), 3U);
  EXPECT_FALSE(told_of_the_place());
}

TEST_F(KafkaWatching, WhatAgeDeletedBeforeItWasReadIsOurFaultAndNotCovered) {
  begin(1, 10);
  ASSERT_TRUE(ready());
  ASSERT_TRUE(covered_till_now());
  const Instant before = sink_.covers.back().second;
  topic_->fetches = false;
  for (int i = 0; i < 10; ++i) topic_->put(0, "unread");
  topic_->logs[0].low = 15;
  topic_->fetches = true;
  const Instant hidden = io_.now();
  topic_->fetch(0);
  ASSERT_TRUE(turn_until([&] { return sink_.seen.size() == 5; }));
  ASSERT_TRUE(covered_till_now());
  EXPECT_TRUE(told("no longer there"));
  EXPECT_FALSE(told_of_the_place());
  EXPECT_FALSE(is_covered(before, hidden));
}

TEST_F(KafkaWatching, WhatWasLostAfterTheQuestionIsNotCoveredByItsAnswer) {
  begin(1);
  ASSERT_TRUE(ready());
  topic_->fetches = topic_->answers = false;
  topic_->trouble(0, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET);
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  topic_->answer();
  topic_->answers = false;
  const size_t asked = topic_->questions;
  ASSERT_TRUE(turn_until([&] { return topic_->questions > asked; }));
  const Instant came = io_.now();
  turn_for(milliseconds(1));
  topic_->put(0, "came after the question");
  topic_->logs[0].low = 1;
  topic_->fetches = true;
  topic_->answer();
  ASSERT_TRUE(covered_till_now());
  EXPECT_TRUE(sink_.seen.empty());
  EXPECT_FALSE(is_covered(came, came + milliseconds(1)));
}

TEST_F(KafkaWatching, ATopicCutShortIsThePlacesFaultAndNotCovered) {
  begin(1, 10);
  ASSERT_TRUE(ready());
  ASSERT_TRUE(covered_till_now());
  const Instant before = sink_.covers.back().second;
  topic_->logs[0].messages.assign(3, "of the new one");
  const Instant hidden = io_.now();
  topic_->fetch(0);
  ASSERT_TRUE(turn_until([&] { return sink_.seen.size() == 3; }));
  ASSERT_TRUE(covered_till_now());
  EXPECT_TRUE(told("shorter than what was read"));
  EXPECT_TRUE(told_of_the_place());
  EXPECT_FALSE(is_covered(before, hidden));
}

TEST_F(KafkaWatching, ATopicWithFewerPartitionsComesBackIntoSight) {
  begin(3, 10);
  ASSERT_TRUE(ready());
  topic_->logs.resize(1);
  topic_->trouble(1, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
  topic_->trouble(2, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  EXPECT_TRUE(told_of_the_place());
  ASSERT_TRUE(turn_until([&] { return !sink_.trouble; }));
  ASSERT_TRUE(covered_till_now());
  EXPECT_EQ(topic_->reading.size(), 1U);
}

TEST_F(KafkaWatching, APartitionOverlookedForAMomentIsNotReadAnew) {
  begin(2, 10);
  ASSERT_TRUE(ready());
  const ScriptedTopic::Log kept = topic_->logs[1];
  topic_->logs.resize(1);
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  const Instant blind = sink_.covers.back().second;
  topic_->logs.push_back(kept);
  topic_->put(1, "new");
  ASSERT_TRUE(covered_till_now());
  EXPECT_TRUE(is_covered(blind, sink_.covers.back().second)) << "nothing was lost";
  EXPECT_TRUE(topic_->restarted.empty());
  ASSERT_EQ(sink_.seen.size(), 1U);
  EXPECT_EQ(sink_.seen[0].text, "new");
}

TEST_F(KafkaWatching, ATopicMadeAnewThatHasOutgrownTheOldOneIsReadFromItsBeginning) {
  begin(1, 2);
  ASSERT_TRUE(ready());
  topic_->missing = true;
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  const Instant before = sink_.covers.back().second;
  topic_->logs[0].messages = {"first", "second", "third", "fourth"};
  topic_->missing = false;
  const Instant hidden = io_.now();
  topic_->fetch(0);  // goes on at the old position, and reaches the end
  ASSERT_TRUE(sees("first"));
  ASSERT_TRUE(covered_till_now());
  EXPECT_FALSE(is_covered(before, hidden)) << "what the old one still held is lost";
  EXPECT_TRUE(sees("fourth"));
}

TEST_F(KafkaWatching, AMessageThatComesBeforeTheGapIsProvenMayBeAsOldAsTheGap) {
  begin(1);
  ASSERT_TRUE(ready());
  topic_->answers = false;
  topic_->trouble(0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  ASSERT_TRUE(turn_until([&] { return sink_.trouble.has_value(); }));
  const Instant proven = sink_.covers.back().second;
  topic_->put(0, "late");
  ASSERT_TRUE(sees("late"));
  EXPECT_EQ(sink_.seen.back().lo, proven);
  topic_->answer();
  ASSERT_TRUE(covered_till_now());
}

// A minute in which everything of ours stands still begins at some point of a question and ends; the brokers answered.
class KafkaWatchFrozen : public KafkaWatching {
 protected:
  void freeze() {
    late_io_.miss(std::chrono::minutes(1));
    turn_for(milliseconds(100));
  }
  // That all of the minute is covered, and that nobody was blamed for it.
  void covers_the_freeze(Instant before) {
    ASSERT_TRUE(turn_until([&] { return sink_.covers.back().second >= before + std::chrono::minutes(1); }));
    EXPECT_TRUE(is_covered(before, before + std::chrono::minutes(1)));
    EXPECT_TRUE(sink_.troubles.empty()) << sink_.troubles.front().text;
  }
};

TEST_F(KafkaWatchFrozen, AnAnswerThatWaitsForUsIsNoSilence) {
  begin(1);
  ASSERT_TRUE(ready());
  topic_->answers = false;
  ASSERT_TRUE(turn_until([&] { return topic_->asking(); }));
  const Instant before = sink_.covers.back().second;
  freeze();
  topic_->answer();
  covers_the_freeze(before);
}

TEST_F(KafkaWatchFrozen, AQuestionThatRanOutOfTimeMeanwhileIsAskedAgain) {
  begin(1);
  ASSERT_TRUE(ready());
  topic_->answers = false;
  ASSERT_TRUE(turn_until([&] { return topic_->asking(); }));
  const Instant before = sink_.covers.back().second;
  topic_->silence = {ErrorCode::timeout, "no answer from the brokers within 1500ms"};
  freeze();
  topic_->answer();
  covers_the_freeze(before);
}

TEST_F(KafkaWatchFrozen, MessagesThatWaitForUsAreNotHeldBack) {
  begin(1);
  ASSERT_TRUE(ready());
  topic_->fetches = false;
  topic_->put(0, "waits");
  const size_t asked = topic_->questions;
  ASSERT_TRUE(turn_until([&] { return topic_->questions > asked + 1; }));
  const Instant before = sink_.covers.back().second;
  freeze();
  topic_->fetches = true;
  topic_->fetch(0);
  covers_the_freeze(before);
}

TEST_F(KafkaWatchFrozen, ThatTheBrokersAreSilentAfterItIsTheirs) {
  begin(1);
  ASSERT_TRUE(ready());
  topic_->answers = false;
  ASSERT_TRUE(turn_until([&] { return topic_->asking(); }));
  freeze();
  EXPECT_FALSE(told_of_the_place());
  topic_->silence = {ErrorCode::timeout, "no answer from the brokers within 1500ms"};
  topic_->answer();
  topic_->silence = {ErrorCode::timeout, "no answer from the brokers within 1500ms"};
  ASSERT_TRUE(turn_until([&] { return told_of_the_place(); }));
  EXPECT_TRUE(told("within 1500ms"));
}

}  // namespace
}  // namespace slosonde::checks
