// The kafka watch as the catalog offers it.
#include <string>
#include <utility>
#include <vector>

#include "checks/kafka.h"
#include "checks/kafka_watch.h"
#include "checks/net/kafka_cluster.h"
#include "checks/net/kafka_consumer.h"

namespace slosonde::checks {
namespace {

using config::Key;
using config::Type;

// Watches of one topic with differing settings need a handle each.
constexpr int kMaxHandles = 16;

const std::vector<Key>& keys() {
  static const std::vector<Key> all = [] {
    std::vector<Key> made(kKafkaCluster.begin(), kKafkaCluster.end());
    made.insert(
        made.end(),
        {
            {.name = "ask_every",
             .type = Type::duration,
             .help =
                 "How often the brokers are asked for partitions and their ends; silence is proven that much later.",
             .fallback = "500ms",
             .min = "50ms",
             .max = "10s"},
            {.name = "max_message",
             .type = Type::bytes,
             .help = "How much of one message is looked through for markers; what arrives with a longer one cannot be "
                     "said to be missing.",
             .fallback = "8MiB",
             .min = "1KiB",
             .max = "64MiB"},
            {.name = "clock_error",
             .type = Type::duration,
             .help =
                 "How far the wall clocks of the probe and of the brokers may lie apart. With it, what is read back "
                 "after a gap in sight came when its broker says that it appended it, give or take so much; for "
                 "topics of `message.timestamp.type=LogAppendTime`. Default: it may be as old as the gap.",
             .min = "1ms",
             .max = "1m"},
        });
    return made;
  }();
  return all;
}

Result<std::unique_ptr<KafkaReader>> open_reader(const KafkaCluster& cluster, const std::string& topic, io::Io& io) {
  const std::string key = "kafka consumer " + cluster.share_key();
  for (int i = 0; i < kMaxHandles; ++i) {
    Error error;
    auto consumer = io.shared<KafkaConsumer>(key + std::to_string(i), [&]() -> std::shared_ptr<KafkaConsumer> {
      auto made = KafkaConsumer::open(cluster);
      if (made) return std::move(*made);
      error = std::move(made).error();
      return nullptr;
    });
    if (!consumer) return fail(std::move(error));
    auto reader = consumer->reader(topic);
    if (!reader || *reader != nullptr) return reader;
  }
  return fail(ErrorCode::bad_config, "more than " + std::to_string(kMaxHandles) + " watches read topic " + topic +
                                         " with differing settings; give them the same, so that they share one");
}

}  // namespace

const config::Block& kafka_watch_block() {
  static const config::Block block{.name = "kafka watch",
                                   .help = "Reads every partition of a topic, without a group, from its end on.",
                                   .keys = keys(),
                                   .rule = check_kafka_cluster};
  return block;
}

Result<std::unique_ptr<Watch>> make_kafka_watch(const config::Values& settings, io::Io& io) {
  auto cluster = kafka_cluster(settings);
  if (!cluster) return fail(std::move(cluster).error());
  auto reader = open_reader(*cluster, settings.text("topic"), io);
  if (!reader) return fail(std::move(reader).error());
  KafkaWatchSettings own{.topic = settings.text("topic"),
                         .brokers = cluster->brokers,
                         .ask_every = settings.duration("ask_every"),
                         .max_message = settings.bytes("max_message")};
  if (settings.has("clock_error")) own.clock_error = settings.duration("clock_error");
  return std::make_unique<KafkaWatch>(std::move(own), io, std::move(*reader));
}

}  // namespace slosonde::checks
