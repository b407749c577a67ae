#include "demo/consumer.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace slosonde::demo {

namespace {

constexpr int kPollMs = 100;
constexpr int kPatienceMs = 10'000;

using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, decltype(&rd_kafka_topic_partition_list_destroy)>;

// The present end of every partition, asked for: "from the end" would begin later, and hide what comes in between.
Result<Partitions> ends(rd_kafka_t* handle, const std::string& topic, int partitions) {
  Partitions list(rd_kafka_topic_partition_list_new(partitions), rd_kafka_topic_partition_list_destroy);
  for (int i = 0; i < partitions; ++i) {
    int64_t low = 0;
    int64_t high = 0;
    const auto error = rd_kafka_query_watermark_offsets(handle, topic.c_str(), i, &low, &high, kPatienceMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail(ErrorCode::connect_failed, "Kafka does not say where topic " + topic + ", partition " +
                                                 std::to_string(i) + " ends: " + rd_kafka_err2str(error));
    }
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset = high;
  }
  return list;
}

}  // namespace

Result<std::unique_ptr<Consumer>> Consumer::open(boost::asio::io_context& io, const std::string& brokers,
                                                 const std::string& topic, int partitions, Handler handler) {
  auto handle = make_handle(RD_KAFKA_CONSUMER, brokers,
                            {{"group.id", "slosonde-demo"},  // never joined, but assigning demands a name
                             {"enable.auto.commit", "false"},
                             {"fetch.wait.max.ms", "10"},  // the mock cluster holds a fetch for all of it
                             {"log_level", "3"}});
  if (!handle) return fail(handle.error());
  rd_kafka_poll_set_consumer(handle->get());
  const auto where = ends(handle->get(), topic, partitions);
  if (!where) return fail(where.error());
  const auto error = rd_kafka_assign(handle->get(), where->get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(ErrorCode::connect_failed, "topic " + topic + " cannot be read: " + rd_kafka_err2str(error));
  }
  return std::unique_ptr<Consumer>(new Consumer(io, std::move(*handle), std::move(handler)));
}

Consumer::Consumer(boost::asio::io_context& io, RdKafka handle, Handler handler)
    : io_(io), handle_(std::move(handle)), handler_(std::move(handler)), thread_([this] { read(); }) {}

Consumer::~Consumer() {
  stopping_ = true;
  thread_.join();
  rd_kafka_consumer_close(handle_.get());
}

void Consumer::read() {
  while (!stopping_) {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(handle_.get(), kPollMs);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      post(std::string(static_cast<const char*>(message->payload), message->len));
    }
    rd_kafka_message_destroy(message);
  }
}

void Consumer::post(std::string record) {
  while (!room_.try_acquire_for(std::chrono::milliseconds(kPollMs))) {
    if (stopping_) return;
  }
  boost::asio::post(io_, [this, record = std::move(record)]() mutable {
    room_.release();
    handler_(std::move(record));
  });
}

}  // namespace slosonde::demo
