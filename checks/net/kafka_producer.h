// A producer that checks share.
#pragma once

#include <librdkafka/rdkafka.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checks/check.h"
#include "checks/net/kafka_cluster.h"
#include "checks/net/kafka_handle.h"
#include "probe/base/result.h"
#include "probe/io/io.h"

namespace slosonde::checks {

struct KafkaMessage {
  std::string topic;
  int32_t partition = -1;  // -1: by the key, or any
  std::string key;         // empty: none
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers;
};

// What became of a message. `refused`: the broker said no. `none`: it was never sent. `unknown`: it may have arrived,
// or still be sent within the producer's message timeout.
struct KafkaReceipt {
  Delivery delivery = Delivery::none;
  Error error;  // none only when acked
  Instant done{};
};

// One handle: five threads of librdkafka's. Engine thread; a coroutine in send() keeps it alive.
class KafkaProducer : public std::enable_shared_from_this<KafkaProducer> {
 public:
  // `message_timeout` is for how long librdkafka goes on trying with each message.
  static Result<std::shared_ptr<KafkaProducer>> open(const KafkaCluster& cluster, Duration message_timeout);
  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  // With the acknowledgement of all replicas in sync, or at the deadline, or when cancelled.
  boost::asio::awaitable<KafkaReceipt> send(io::Io& io, KafkaMessage message, Instant deadline);

 private:
  struct Waiter;
  class Place;
  class Asking;
  // Held to the end: without a handle librdkafka would forget what it knows of the topic.
  struct Topic {
    rd_kafka_topic_t* handle = nullptr;
    rd_kafka_resp_err_t known = RD_KAFKA_RESP_ERR__IN_PROGRESS;  // what was said when its leaders were asked for
  };

  KafkaProducer(rd_kafka_t* handle, std::string brokers);
  // A fresh handle asks for a topic's leaders only once a second: it is made to ask before the first message. One at a
  // time; the others' messages profit from it.
  boost::asio::awaitable<ErrorCode> find_leaders(io::Io& io, Topic& topic, Instant deadline);
  Topic* find_topic(const std::string& name);
  Error enqueue(const KafkaMessage& message, uint64_t number);
  void drain();
  void deliver(const rd_kafka_message_t& report);
  // librdkafka's queue signals one descriptor: that of the waiter who came last, who then wakes the others.
  void listen();
  Error gave_up(const std::string& topic, ErrorCode why) const;

  rd_kafka_t* handle_;
  rd_kafka_queue_t* queue_;
  std::string brokers_;
  std::map<uint64_t, Waiter*> waiting_;  // by message number: the last came last
  uint64_t sent_ = 0;
  std::map<std::string, Topic> topics_;  // few: from the configuration alone
  bool asking_ = false;
  KafkaComplaint complaint_;  // since the last acknowledgement
};

}  // namespace slosonde::checks
