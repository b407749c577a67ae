// Reading one topic, as a watch needs it: messages come through a queue of the reader's own, answers to questions wake
// it through the same descriptor. Engine thread; nothing here waits.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "probe/base/error.h"

namespace slosonde::checks {

// A partition to be read again from where it failed.
struct KafkaRestart {
  int32_t partition = 0;
  int64_t position = 0;       // read on from here; where that is gone, from what is left
  int64_t since_unix_ms = 0;  // where the partition has shrunk: from the first message of this time on
  bool anew = false;          // it may be another one of the same name: as if it had shrunk, however long it is
};
// What came of it: nothing of the partition comes any more until it is started again.
struct KafkaStopped {
  int32_t partition = 0;
  int64_t offset = 0;  // reading is to go on here
  bool lost = false;   // what stood between the position and this was never read
  bool gone = false;   // the topic no longer has the partition
};

struct KafkaAnswer {
  Error error;                 // none: `ends` holds
  bool no_such_topic = false;  // the cluster answered, and knows no such topic
  std::vector<int64_t> ends;   // one past the last message of each partition, by number
  std::vector<KafkaStopped> stopped;
};

// One message, or the news that a partition's end was reached, or its trouble. Views live during the call only.
struct KafkaItem {
  enum class Kind : uint8_t { message, end, trouble } kind = Kind::message;
  int32_t partition = 0;
  int64_t offset = 0;
  std::string_view key{}, value{};                        // of a message
  const rd_kafka_headers_t* headers = nullptr;            // of a message, where it has any
  int64_t appended_unix_ms = -1;                          // by its broker's clock; -1: it bears no such stamp
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;  // of trouble
  std::string_view text{};                                // of trouble
};

class KafkaReader {
 public:
  virtual ~KafkaReader() = default;

  // Readable when there are items or an answer.
  virtual int descriptor() const = 0;
  // Before draining; else what comes meanwhile is not signalled.
  virtual void clear() const = 0;

  // Asks for the ends of all partitions, and then stops those that are to be begun again. One question at a time.
  virtual void ask(std::vector<KafkaRestart> restarts) = 0;
  virtual bool asking() const = 0;
  virtual std::optional<KafkaAnswer> take_answer() = 0;

  // Begins to read a partition that is not being read.
  virtual Error start(int32_t partition, int64_t offset) = 0;

  struct Drained {
    int items = 0;
    bool empty = true;  // nothing is left for now
  };
  virtual Drained drain(int max_items, size_t max_bytes, const std::function<void(const KafkaItem&)>& take) = 0;
};

}  // namespace slosonde::checks
