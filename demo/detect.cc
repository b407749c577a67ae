#include "demo/detect.h"

#include <chrono>
#include <utility>

#include "demo/record.h"
#include "probe/base/time.h"

namespace slosonde::demo {

Detect::Detect(boost::asio::io_context& io, Faults& faults, Counts& counts, Producer& producer, std::string topic)
    : passage_(io, Stage::detect, faults, counts,
               [this, &producer, topic = std::move(topic)](const std::string& incident) {
                 producer.send(topic, incident, passage_.counts());
               }) {}

void Detect::take(const std::string& log) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  auto incident = incident_from_log(log, format_utc(Instant(std::chrono::duration_cast<Duration>(now))));
  if (!incident) {
    ++passage_.counts().malformed;
  } else if (incident->empty()) {
    ++passage_.counts().ignored;
  } else {
    passage_.take(std::move(*incident));
  }
}

}  // namespace slosonde::demo
