#include "demo/broker.h"

#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <utility>

namespace slosonde::demo {

namespace {

constexpr int kPatienceMs = 10'000;

class MockBroker final : public Broker {
 public:
  MockBroker(RdKafka owner, rd_kafka_mock_cluster_t* cluster)
      : Broker(rd_kafka_mock_cluster_bootstraps(cluster)), owner_(std::move(owner)), cluster_(cluster) {}
  MockBroker(const MockBroker&) = delete;
  MockBroker& operator=(const MockBroker&) = delete;
  ~MockBroker() override { rd_kafka_mock_cluster_destroy(cluster_); }

  Result<void> create_topic(const std::string& name, int partitions) override {
    const auto error = rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail(ErrorCode::io_failed,
                  "the embedded broker did not make topic " + name + ": " + rd_kafka_err2str(error));
    }
    return {};
  }

 private:
  RdKafka owner_;  // the mock cluster lives on its threads
  rd_kafka_mock_cluster_t* cluster_;
};

class RealBroker final : public Broker {
 public:
  RealBroker(std::string bootstrap, RdKafka admin) : Broker(std::move(bootstrap)), admin_(std::move(admin)) {}

  Result<void> create_topic(const std::string& name, int partitions) override {
    const std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue(rd_kafka_queue_new(admin_.get()),
                                                                                     rd_kafka_queue_destroy);
    std::array<char, 512> why{};
    rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, why.data(), why.size());
    if (wanted == nullptr) return fail(ErrorCode::bad_config, "topic " + name + ": " + why.data());
    rd_kafka_CreateTopics(admin_.get(), &wanted, 1, nullptr, queue.get());
    rd_kafka_NewTopic_destroy(wanted);
    const std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> event(
        rd_kafka_queue_poll(queue.get(), kPatienceMs), rd_kafka_event_destroy);
    if (!event)
      return fail(ErrorCode::timeout, "no answer from Kafka at " + bootstrap() + " while making topic " + name);
    return outcome(event.get(), name);
  }

 private:
  Result<void> outcome(rd_kafka_event_t* event, const std::string& name) const {
    const std::string lead = "Kafka at " + bootstrap() + " did not make topic " + name + ": ";
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail(ErrorCode::rejected, lead + rd_kafka_event_error_string(event));
    }
    size_t count = 0;
    const rd_kafka_topic_result_t** const results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; ++i) {
      const auto error = rd_kafka_topic_result_error(results[i]);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return fail(ErrorCode::rejected, lead + rd_kafka_err2str(error));
      }
    }
    return {};
  }

  RdKafka admin_;
};

}  // namespace

Result<RdKafka> make_handle(rd_kafka_type_t type, const std::string& brokers, const std::vector<Setting>& settings,
                            DeliveryReport report) {
  std::array<char, 512> why{};
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  const auto set = [&](const char* name, const std::string& value) {
    return rd_kafka_conf_set(conf, name, value.c_str(), why.data(), why.size()) == RD_KAFKA_CONF_OK;
  };
  if (report != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, report);
  bool fine = brokers.empty() || set("bootstrap.servers", brokers);
  for (const Setting& setting : settings) fine = fine && set(setting.name, setting.value);
  rd_kafka_t* const handle = fine ? rd_kafka_new(type, conf, why.data(), why.size()) : nullptr;
  if (handle == nullptr) {
    rd_kafka_conf_destroy(conf);
    return fail(ErrorCode::bad_config, std::string("Kafka: ") + why.data());
  }
  return RdKafka(handle);
}

Result<std::unique_ptr<Broker>> Broker::open(const std::string& brokers) {
  auto handle = make_handle(RD_KAFKA_PRODUCER, brokers, {{"log_level", "3"}});
  if (!handle) return fail(handle.error());
  if (!brokers.empty()) return std::make_unique<RealBroker>(brokers, std::move(*handle));
  rd_kafka_mock_cluster_t* const cluster = rd_kafka_mock_cluster_new(handle->get(), 1);
  if (cluster == nullptr) return fail(ErrorCode::io_failed, "the embedded broker could not be started");
  return std::make_unique<MockBroker>(std::move(*handle), cluster);
}

}  // namespace slosonde::demo
