#include "checks/net/kafka_consumer.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "checks/net/kafka_asker.h"
#include "checks/net/kafka_handle.h"
#include "checks/net/kafka_words.h"

namespace slosonde::checks {
namespace {

constexpr uint64_t kOne = 1;

const KafkaProperties& defaults() {
  static const KafkaProperties properties = {
      // A broker answers as soon as there is a message, however long it may wait.
      {"fetch.wait.max.ms", "100"},
      {"fetch.error.backoff.ms", "100"},
      // What may be held in memory for each partition.
      {"queued.min.messages", "1000"},
      {"queued.max.messages.kbytes", "1024"},
      {"fetch.max.bytes", "8388608"},
  };
  return properties;
}

const KafkaProperties& fixed() {
  static const KafkaProperties properties = {
      {"enable.partition.eof", "true"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      // Asking for a topic must not make it.
      {"allow.auto.create.topics", "false"},
  };
  return properties;
}

// Its end stops the reading in the background.
class TopicReader final : public KafkaReader {
 public:
  TopicReader(std::shared_ptr<KafkaConsumer> consumer, std::shared_ptr<KafkaAsker> asker,
              std::shared_ptr<KafkaTopic> topic)
      : consumer_(std::move(consumer)), asker_(std::move(asker)), topic_(std::move(topic)) {}
  ~TopicReader() override;
  TopicReader(const TopicReader&) = delete;
  TopicReader& operator=(const TopicReader&) = delete;

  int descriptor() const override { return topic_->event; }
  void clear() const override;
  void ask(std::vector<KafkaRestart> restarts) override;
  bool asking() const override { return asking_; }
  std::optional<KafkaAnswer> take_answer() override;
  Error start(int32_t partition, int64_t offset) override;
  Drained drain(int max_items, size_t max_bytes, const std::function<void(const KafkaItem&)>& take) override;

 private:
  const std::shared_ptr<KafkaConsumer> consumer_;
  const std::shared_ptr<KafkaAsker> asker_;
  const std::shared_ptr<KafkaTopic> topic_;
  bool asking_ = false;
};

TopicReader::~TopicReader() {
  rd_kafka_queue_io_event_enable(topic_->queue, -1, nullptr, 0);
  asker_->close(topic_);
}

void TopicReader::clear() const {
  uint64_t count = 0;
  (void)!read(topic_->event, &count, sizeof count);
}

void TopicReader::ask(std::vector<KafkaRestart> restarts) {
  asking_ = true;
  asker_->ask(topic_, std::move(restarts));
}

std::optional<KafkaAnswer> TopicReader::take_answer() {
  if (!asking_) return std::nullopt;
  auto answer = asker_->take(*topic_);
  if (answer) asking_ = false;
  return answer;
}

KafkaItem item_of(const rd_kafka_message_t& message) {
  KafkaItem item{.partition = message.partition, .offset = message.offset, .code = message.err};
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    item.key = {static_cast<const char*>(message.key), message.key_len};
    item.value = {static_cast<const char*>(message.payload), message.len};
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) item.headers = headers;
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const int64_t stamp = rd_kafka_message_timestamp(&message, &type);
    if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) item.appended_unix_ms = stamp;
  } else if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    item.kind = KafkaItem::Kind::end;
  } else {
    item.kind = KafkaItem::Kind::trouble;
    const char* text = rd_kafka_message_errstr(&message);
    item.text = text == nullptr ? "" : text;
  }
  return item;
}

Error TopicReader::start(int32_t partition, int64_t offset) {
  if (rd_kafka_consume_start_queue(topic_->handle, partition, offset, topic_->queue) != 0)
    return kafka_error("topic " + topic_->name + ", partition " + std::to_string(partition), rd_kafka_last_error(), "");
  topic_->started(partition);
  return {};
}

KafkaReader::Drained TopicReader::drain(int max_items, size_t max_bytes,
                                        const std::function<void(const KafkaItem&)>& take) {
  std::array<rd_kafka_message_t*, 64> batch{};
  Drained drained;
  size_t bytes = 0;
  while (drained.items < max_items && bytes < max_bytes) {
    const size_t room = std::min(batch.size(), static_cast<size_t>(max_items - drained.items));
    const ssize_t count = rd_kafka_consume_batch_queue(topic_->queue, 0, batch.data(), room);
    if (count <= 0) return drained;
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* message = batch[i];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) bytes += message->len + message->key_len;
      take(item_of(*message));
      rd_kafka_message_destroy(message);
      ++drained.items;
    }
  }
  drained.empty = false;
  return drained;
}

}  // namespace

Result<std::shared_ptr<KafkaConsumer>> KafkaConsumer::open(const KafkaCluster& cluster) {
  auto conf = kafka_conf(cluster, defaults(), fixed());
  if (!conf) return fail(std::move(conf).error());
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_ERROR);
  auto handle = open_kafka(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return fail(std::move(handle).error());
  auto asker = std::make_shared<KafkaAsker>(*handle, cluster.brokers);
  try {
    std::thread([asker] { asker->run(); }).detach();
  } catch (const std::system_error& error) {
    bury_kafka(*handle);
    return fail(ErrorCode::no_memory, std::string("no thread for a Kafka consumer: ") + error.what());
  }
  return std::shared_ptr<KafkaConsumer>(new KafkaConsumer(std::move(asker)));
}

KafkaConsumer::KafkaConsumer(std::shared_ptr<KafkaAsker> asker) : asker_(std::move(asker)) {}

KafkaConsumer::~KafkaConsumer() {
  asker_->stop();
}

Result<std::unique_ptr<KafkaReader>> KafkaConsumer::reader(const std::string& topic) {
  if (!asker_->claim(topic)) return std::unique_ptr<KafkaReader>();
  auto made = std::make_shared<KafkaTopic>();
  made->name = topic;
  made->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (made->event < 0) {
    asker_->release(topic);
    return fail(error_from_errno(errno, "an eventfd for topic " + topic));
  }
  made->handle = rd_kafka_topic_new(asker_->handle, topic.c_str(), nullptr);
  if (made->handle == nullptr) {
    asker_->release(topic);
    return fail(kafka_error("topic " + topic, rd_kafka_last_error(), ""));
  }
  made->queue = rd_kafka_queue_new(asker_->handle);
  rd_kafka_queue_io_event_enable(made->queue, made->event, &kOne, sizeof kOne);
  return std::unique_ptr<KafkaReader>(new TopicReader(shared_from_this(), asker_, std::move(made)));
}

KafkaTopic::~KafkaTopic() {
  if (event >= 0) close(event);
}

}  // namespace slosonde::checks
