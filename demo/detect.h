// Incident detection: reads the topic `logs`, and writes an incident for every log that speaks of a failure.
#pragma once

#include <boost/asio/io_context.hpp>
#include <string>

#include "demo/counts.h"
#include "demo/faults.h"
#include "demo/passage.h"
#include "demo/producer.h"

namespace slosonde::demo {

class Detect {
 public:
  Detect(boost::asio::io_context& io, Faults& faults, Counts& counts, Producer& producer, std::string topic);

  void take(const std::string& log);

 private:
  Passage passage_;
};

}  // namespace slosonde::demo
