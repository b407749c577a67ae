// Reads a topic from where it ends when the pipeline starts.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>

#include "demo/broker.h"
#include "probe/base/result.h"

namespace slosonde::demo {

// Has a thread of its own that waits for messages and posts each to the io_context; at most 1,000 wait there, the rest
// stays in Kafka. Destroy it before the io_context.
class Consumer {
 public:
  using Handler = std::function<void(std::string record)>;

  static Result<std::unique_ptr<Consumer>> open(boost::asio::io_context& io, const std::string& brokers,
                                                const std::string& topic, int partitions, Handler handler);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

 private:
  static constexpr int kMaxPosted = 1000;

  Consumer(boost::asio::io_context& io, RdKafka handle, Handler handler);
  void read();
  void post(std::string record);

  boost::asio::io_context& io_;
  RdKafka handle_;
  const Handler handler_;
  std::counting_semaphore<kMaxPosted> room_{kMaxPosted};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace slosonde::demo
