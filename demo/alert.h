// The alert router: reads the topic `incidents` and notifies a webhook of each.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>

#include "demo/counts.h"
#include "demo/faults.h"
#include "demo/http_client.h"
#include "demo/passage.h"
#include "probe/base/secret.h"

namespace slosonde::demo {

class Alert {
 public:
  // No target: alerts are made and go nowhere, which is counted as failed.
  Alert(boost::asio::io_context& io, Faults& faults, Counts& counts, std::optional<HttpTarget> target, Secret token);

  void take(std::string incident);

 private:
  void notify(const std::string& incident);
  boost::asio::awaitable<void> deliver(std::string alert);

  boost::asio::io_context& io_;
  const std::optional<HttpTarget> target_;
  const Secret token_;
  int sending_ = 0;  // deliveries at a time, bounded
  Passage passage_;
};

}  // namespace slosonde::demo
