// A consumer that watches share: reads whole topics without a group, and asks the brokers what there is.
//
// What librdkafka can only ask blockingly (metadata, ends of partitions, stopping) is asked on one thread of the
// consumer's, so that a dead cluster holds up nobody else's blocking work.
#pragma once

#include <memory>
#include <string>

#include "checks/net/kafka_cluster.h"
#include "checks/net/kafka_reader.h"
#include "probe/base/result.h"

namespace slosonde::checks {

struct KafkaAsker;

// One handle: six threads of librdkafka's and one of ours. Engine thread. Ends in the background, as its readers do.
class KafkaConsumer : public std::enable_shared_from_this<KafkaConsumer> {
 public:
  static Result<std::shared_ptr<KafkaConsumer>> open(const KafkaCluster& cluster);
  ~KafkaConsumer();
  KafkaConsumer(const KafkaConsumer&) = delete;
  KafkaConsumer& operator=(const KafkaConsumer&) = delete;

  // A handle can read a topic once: null when it does already. The reader keeps the consumer.
  Result<std::unique_ptr<KafkaReader>> reader(const std::string& topic);

 private:
  explicit KafkaConsumer(std::shared_ptr<KafkaAsker> asker);

  std::shared_ptr<KafkaAsker> asker_;
};

}  // namespace slosonde::checks
