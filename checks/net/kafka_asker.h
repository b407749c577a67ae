// The thread of a consumer that asks what librdkafka can only ask blockingly. Private to kafka_consumer.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/net/kafka_handle.h"
#include "checks/net/kafka_reader.h"

namespace slosonde::checks {

// A topic that is read. The handles end on the asking thread, which is the last to use them.
struct KafkaTopic {
  KafkaTopic() = default;
  ~KafkaTopic();
  KafkaTopic(const KafkaTopic&) = delete;
  KafkaTopic& operator=(const KafkaTopic&) = delete;

  void started(int32_t partition);
  // Blocks for a moment. Nothing that was read before comes out of the queue after it.
  void stop(int32_t partition);

  std::string name;
  int event = -1;
  rd_kafka_topic_t* handle = nullptr;
  rd_kafka_queue_t* queue = nullptr;

  std::mutex mutex;                 // over what follows
  std::vector<int32_t> partitions;  // that are being read
  std::optional<KafkaAnswer> answer;
};

struct KafkaAsker {
  using TopicPtr = std::shared_ptr<KafkaTopic>;

  KafkaAsker(rd_kafka_t* kafka, std::string kafka_brokers) : handle(kafka), brokers(std::move(kafka_brokers)) {}

  // Engine thread; none of them waits. A topic stays claimed until its reading has been stopped.
  bool claim(const std::string& topic);
  void release(const std::string& topic);
  void ask(TopicPtr topic, std::vector<KafkaRestart> restarts);
  std::optional<KafkaAnswer> take(KafkaTopic& topic);
  void close(TopicPtr topic);
  void stop();

  // The thread: until stop(), then it ends the handle.
  void run();

  rd_kafka_t* const handle;
  const std::string brokers;

 private:
  using Clock = std::chrono::steady_clock;  // as librdkafka
  struct Job {
    TopicPtr topic;
    std::vector<KafkaRestart> restarts;
    bool close = false;
  };

  KafkaAnswer answer(const Job& job);
  Error count_partitions(const KafkaTopic& topic, int& count, bool& no_such_topic);
  Error find_ends(const KafkaTopic& topic, int count, std::vector<int64_t>& ends);
  void stop_partitions(const Job& job, KafkaAnswer& answer);
  // Where to go on; nullopt: the brokers do not say.
  std::optional<KafkaStopped> find_place(const KafkaTopic& topic, const KafkaRestart& wanted, int64_t end);
  int64_t offset_of_time(const std::string& topic, int32_t partition, int64_t unix_ms, int64_t otherwise);
  Error trouble(const std::string& topic, rd_kafka_resp_err_t code, Clock::time_point began);  // the call's
  void hear_complaints();
  void reply(const TopicPtr& topic, KafkaAnswer answer);
  void answer_all_alike(const Error& error);
  void end(KafkaTopic& topic);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::set<std::string> topics_;
  bool stopped_ = false;
  std::unique_ptr<KafkaBurial> burial_;
  KafkaComplaint complaint_;  // asking thread; since the last answer
};

}  // namespace slosonde::checks
