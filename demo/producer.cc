#include "demo/producer.h"

#include <chrono>
#include <utility>

namespace slosonde::demo {

namespace {

constexpr int kPatienceMs = 10'000;
constexpr auto kServeEvery = std::chrono::milliseconds(20);

void count_unconfirmed(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++static_cast<StageCounts*>(message->_private)->failed;
}

}  // namespace

Result<std::unique_ptr<Producer>> Producer::open(boost::asio::io_context& io, const std::string& brokers,
                                                 const std::vector<std::string>& names) {
  auto handle = make_handle(RD_KAFKA_PRODUCER, brokers,
                            {{"linger.ms", "0"},
                             {"acks", "all"},
                             {"message.timeout.ms", "10000"},
                             {"queue.buffering.max.messages", "10000"},
                             {"log_level", "3"}},
                            count_unconfirmed);
  if (!handle) return fail(handle.error());
  std::vector<Topic> topics;
  for (const std::string& name : names) {
    topics.emplace_back(rd_kafka_topic_new(handle->get(), name.c_str(), nullptr));
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error = rd_kafka_metadata(handle->get(), 0, topics.back().get(), &metadata, kPatienceMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail(ErrorCode::connect_failed,
                  "Kafka at " + brokers + " does not say who leads topic " + name + ": " + rd_kafka_err2str(error));
    }
    rd_kafka_metadata_destroy(metadata);
  }
  return std::unique_ptr<Producer>(new Producer(io, std::move(*handle), std::move(topics)));
}

Producer::Producer(boost::asio::io_context& io, RdKafka handle, std::vector<Topic> topics)
    : handle_(std::move(handle)), topics_(std::move(topics)), timer_(io) {
  serve();
}

Producer::~Producer() {
  // What is still queued at the end of the demo is nobody's loss.
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_poll(handle_.get(), 0);
}

// Delivery reports come out of rd_kafka_poll.
void Producer::serve() {
  rd_kafka_poll(handle_.get(), 0);
  timer_.expires_after(kServeEvery);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) serve();
  });
}

void Producer::send(const std::string& topic, const std::string& record, StageCounts& counts) {
  const auto error =
      rd_kafka_producev(handle_.get(), RD_KAFKA_V_TOPIC(topic.c_str()),
                        // librdkafka copies the value; its interface is not const.
                        RD_KAFKA_V_VALUE(const_cast<char*>(record.data()), record.size()),
                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(&counts), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) ++counts.failed;
}

}  // namespace slosonde::demo
