// A consumer that watches share: reads whole topics without a group, and asks the brokers what there is.
//
// Messages come through a queue of each reader's own, whose descriptor the engine waits on. What librdkafka can only
// ask blockingly (metadata, ends of partitions, stopping) is asked on one thread of the consumer's, so that a dead
// cluster holds up nobody else's blocking work; answers wake the reader through the same descriptor.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/net/kafka_cluster.h"
#include "checks/net/kafka_handle.h"
#include "probe/base/result.h"
#include "probe/base/time.h"

namespace slosonde::checks {

// A partition to be read again from where it failed.
struct KafkaRestart {
  int32_t partition = 0;
  int64_t position = 0;       // read on from here; where that is gone, from what is left
  int64_t since_unix_ms = 0;  // where the partition has shrunk: from the first message of this time on
};
struct KafkaRestarted {
  int32_t partition = 0;
  int64_t offset = 0;  // reading goes on here
  bool lost = false;   // the position was gone
};

struct KafkaAnswer {
  Error error;                 // none: `ends` holds
  bool no_such_topic = false;  // the cluster answered, and knows no such topic
  std::vector<int64_t> ends;   // one past the last message of each partition, by number
  std::vector<KafkaRestarted> restarted;
};

// One message, or the news that a partition's end was reached, or its trouble. Views live during the call only.
struct KafkaItem {
  enum class Kind : uint8_t { message, end, trouble } kind = Kind::message;
  int32_t partition = 0;
  int64_t offset = 0;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;  // of trouble
  std::string_view text;                                  // of trouble
  const rd_kafka_message_t* message = nullptr;
};

class KafkaConsumer;

// Reads one topic. Engine thread. Its end stops the reading in the background.
class KafkaReader {
 public:
  ~KafkaReader();
  KafkaReader(const KafkaReader&) = delete;
  KafkaReader& operator=(const KafkaReader&) = delete;

  // Readable when there are items or an answer.
  int descriptor() const;
  // Before draining; else what comes meanwhile is not signalled.
  void clear() const;

  // Asks for the ends of all partitions, after doing the restarts. One question at a time.
  void ask(std::vector<KafkaRestart> restarts);
  bool asking() const { return asking_; }
  std::optional<KafkaAnswer> take_answer();

  // Begins to read a partition; never waits.
  Error start(int32_t partition, int64_t offset);

  struct Drained {
    int items = 0;
    bool empty = true;  // nothing is left for now
  };
  Drained drain(int max_items, size_t max_bytes, const std::function<void(const KafkaItem&)>& take);

  struct Topic;  // shared with the asking thread

 private:
  friend class KafkaConsumer;
  KafkaReader(std::shared_ptr<KafkaConsumer> consumer, std::shared_ptr<Topic> topic);

  std::shared_ptr<KafkaConsumer> consumer_;
  std::shared_ptr<Topic> topic_;
  bool asking_ = false;
};

// One handle: six threads of librdkafka's and one of ours. Engine thread.
class KafkaConsumer : public std::enable_shared_from_this<KafkaConsumer> {
 public:
  static Result<std::shared_ptr<KafkaConsumer>> open(const KafkaCluster& cluster);
  ~KafkaConsumer();
  KafkaConsumer(const KafkaConsumer&) = delete;
  KafkaConsumer& operator=(const KafkaConsumer&) = delete;

  // A handle can read a topic once: null when it does already.
  Result<std::unique_ptr<KafkaReader>> reader(const std::string& topic);

 private:
  friend class KafkaReader;
  struct Asker;
  explicit KafkaConsumer(std::shared_ptr<Asker> asker);

  std::shared_ptr<Asker> asker_;
};

}  // namespace slosonde::checks
