#include "demo/ingest.h"

#include <unistd.h>

#include <boost/json.hpp>
#include <utility>

#include "demo/record.h"

namespace slosonde::demo {

Ingest::Ingest(boost::asio::io_context& io, Faults& faults, Counts& counts, Producer& producer, std::string topic)
    : passage_(io, Stage::ingest, faults, counts,
               [this, &producer, topic = std::move(topic)](const std::string& log) {
                 producer.send(topic, log, passage_.counts());
               }),
      prefix_("log-" + std::to_string(getpid()) + "-") {}

HttpResponse Ingest::take(const std::string& body) {
  const std::string id = prefix_ + std::to_string(next_++);
  auto log = log_from_request(body, id);
  if (!log) {
    ++passage_.counts().malformed;
    return problem(400, log.error().text);
  }
  switch (passage_.take(std::move(*log))) {
    case Passage::Answer::refused:
      return problem(503, "refused, as the fault demands");
    case Passage::Answer::overflowed:
      return problem(503, "too many logs are held back; try again later");
    case Passage::Answer::taken:
      break;
  }
  return {202, boost::json::serialize(boost::json::object{{"id", id}}) + "\n"};
}

}  // namespace slosonde::demo
