// The Kafka that the pipeline runs on: the one it is given, or librdkafka's mock cluster inside this process.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <vector>

#include "probe/base/result.h"

namespace slosonde::demo {

struct RdKafkaDeleter {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
};
using RdKafka = std::unique_ptr<rd_kafka_t, RdKafkaDeleter>;

// A librdkafka handle for these brokers; `settings` are its own properties ("fetch.wait.max.ms").
struct Setting {
  const char* name;
  std::string value;
};
using DeliveryReport = void (*)(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque);
Result<RdKafka> make_handle(rd_kafka_type_t type, const std::string& brokers, const std::vector<Setting>& settings,
                            DeliveryReport report = nullptr);

class Broker {
 public:
  // With no `brokers`: a mock cluster that listens on loopback, for this process and others, until destruction.
  static Result<std::unique_ptr<Broker>> open(const std::string& brokers);
  virtual ~Broker() = default;

  const std::string& bootstrap() const { return bootstrap_; }
  // Blocks up to 10 s; a topic that is there already is as good.
  virtual Result<void> create_topic(const std::string& name, int partitions) = 0;

 protected:
  explicit Broker(std::string bootstrap) : bootstrap_(std::move(bootstrap)) {}

 private:
  std::string bootstrap_;
};

}  // namespace slosonde::demo
