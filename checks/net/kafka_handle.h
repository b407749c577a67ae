// librdkafka's handle, held so that nobody ever waits for its end, and what it complains about.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

#include "checks/net/kafka_cluster.h"
#include "probe/base/result.h"

namespace slosonde::checks {

// `bad_config` where librdkafka cannot work with what it was given (a certificate that does not parse). Takes the conf.
Result<rd_kafka_t*> open_kafka(rd_kafka_type_t type, KafkaConf conf);

// Destroying a handle joins its threads, and one of them may hang in a name lookup. It is done on a thread of its own;
// the end of the process waits for all that are under way, at most two seconds. Any thread.
void bury_kafka(rd_kafka_t* handle);

// For who destroys a handle on a thread that it has anyway: the end of the process counts it from the begin to the end.
class KafkaBurial {
 public:
  KafkaBurial();
  ~KafkaBurial();
  KafkaBurial(const KafkaBurial&) = delete;
  KafkaBurial& operator=(const KafkaBurial&) = delete;
};

// The last thing a handle said of its brokers, told by its error events ("Connect to … failed: Connection refused").
struct KafkaComplaint {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string text;

  explicit operator bool() const { return code != RD_KAFKA_RESP_ERR_NO_ERROR; }
  // Takes an event of type RD_KAFKA_EVENT_ERROR in. "All brokers are down" never hides why they are.
  void take(rd_kafka_event_t* event);
};

}  // namespace slosonde::checks
