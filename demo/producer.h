// Writes records to a topic.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "demo/broker.h"
#include "demo/counts.h"
#include "probe/base/result.h"

namespace slosonde::demo {

// One for the pipeline; on the io_context's thread.
class Producer {
 public:
  // Asks for the topics' leaders at once (up to 10 s): otherwise the first record of each would wait a second for them.
  static Result<std::unique_ptr<Producer>> open(boost::asio::io_context& io, const std::string& brokers,
                                                const std::vector<std::string>& topics);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // Returns at once; what the broker does not confirm within 10 s, or what does not fit the queue of 10,000, is counted
  // as failed. `counts` must outlive the producer.
  void send(const std::string& topic, const std::string& record, StageCounts& counts);

 private:
  struct TopicDeleter {
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  };
  using Topic = std::unique_ptr<rd_kafka_topic_t, TopicDeleter>;

  Producer(boost::asio::io_context& io, RdKafka handle, std::vector<Topic> topics);
  void serve();

  RdKafka handle_;
  std::vector<Topic> topics_;  // kept, so that what is known of them is
  boost::asio::steady_timer timer_;
};

}  // namespace slosonde::demo
