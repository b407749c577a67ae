// Where a Kafka cluster is and how to speak to it: what the check and the watch have in common.
#pragma once

#include <librdkafka/rdkafka.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/base/result.h"
#include "probe/base/secret.h"
#include "probe/config/block.h"
#include "probe/config/values.h"

namespace slosonde::checks {

using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

// Plain data; any thread.
struct KafkaCluster {
  std::string brokers;         // "a:9092,b:9092"
  KafkaProperties properties;  // librdkafka's, without secrets; later ones win
  Secret password, key_password;

  // Equal for clusters that may share a handle. A digest, so that no secret stands in it.
  std::string share_key() const;
};

// The keys that stand in both blocks.
inline constexpr size_t kKafkaClusterKeys = 11;
extern const std::array<config::Key, kKafkaClusterKeys> kKafkaCluster;

// What the keys cannot say of themselves: addresses, what belongs together, properties that librdkafka would refuse.
void check_kafka_cluster(const config::Values& settings, config::Problems& problems);

// Fails when a file that is named cannot be read.
Result<KafkaCluster> kafka_cluster(const config::Values& settings);

struct KafkaConfDelete {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using KafkaConf = std::unique_ptr<rd_kafka_conf_t, KafkaConfDelete>;

// `defaults` are the caller's, and give way to the user's; `fixed` do not. `bad_config` names the property refused.
Result<KafkaConf> kafka_conf(const KafkaCluster& cluster, const KafkaProperties& defaults,
                             const KafkaProperties& fixed);

}  // namespace slosonde::checks
