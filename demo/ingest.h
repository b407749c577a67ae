// The way in: POST /v1/logs takes a log and writes it to the topic `logs`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <string>

#include "demo/counts.h"
#include "demo/faults.h"
#include "demo/http_server.h"
#include "demo/passage.h"
#include "demo/producer.h"

namespace slosonde::demo {

class Ingest {
 public:
  Ingest(boost::asio::io_context& io, Faults& faults, Counts& counts, Producer& producer, std::string topic);

  // 202 {"id": "…"} once the log is taken.
  HttpResponse take(const std::string& body);

 private:
  Passage passage_;
  const std::string prefix_;  // tells this process's ids from another's
  uint64_t next_ = 1;
};

}  // namespace slosonde::demo
