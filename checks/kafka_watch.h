// Reads every partition of a topic, and says what it can prove to have seen.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "checks/kafka_coverage.h"
#include "checks/net/kafka_consumer.h"
#include "checks/watch.h"
#include "probe/io/io.h"

namespace slosonde::checks {

struct KafkaWatchSettings {
  std::string topic, brokers;
  Duration ask_every = std::chrono::milliseconds(500);
  size_t max_message = 8 * 1024 * 1024;  // bytes looked through of one message
};

// Since the start. Engine thread.
struct KafkaWatchCounts {
  uint64_t messages = 0;
  uint64_t bytes = 0;
  uint64_t cut = 0;       // messages longer than what is looked through
  uint64_t restarts = 0;  // partitions begun again after trouble
  uint64_t lost = 0;      // of these: what stood at the old position was gone
};

// - Where reading begins: at the ends as they are when the watch first reaches the cluster, so that everything that
//   arrives after "ready" is seen; a topic that was not there then, and a partition that comes later, from the
//   beginning.
// - What is proven: see KafkaCoverage. Partitions and their ends are asked for together, every `ask_every`.
// - `item`: partition and offset, so that what is read twice is known as a redelivery.
// - The text: key, headers as "name: value" and value, each on its own line.
// - seen_lo, seen_hi: when the message reached us. After a gap in sight, while reading lags, and when the process
// itself
//   was held up, seen_lo is the last instant that is proven instead: the message may be as old as that.
// - Trouble of one partition stops what is proven, not the reading of the others; it is begun again every two seconds.
//   Where its position is gone (retention, a topic made anew), the time between is covered by nothing.
// A topic that was deleted and made anew is recognised by its being shorter than what was read.
class KafkaWatch final : public Watch {
 public:
  KafkaWatch(KafkaWatchSettings settings, io::Io& io, std::unique_ptr<KafkaReader> reader);

  boost::asio::awaitable<Error> watch(WatchSink& sink) override;

  const KafkaWatchCounts& counts() const { return counts_; }

 private:
  struct Trouble {
    Error error;
    Instant retry{};       // when to begin the partition again
    bool shorter = false;  // the trouble is its length
  };

  bool turn(WatchSink& sink);  // whether more waits in the queue
  void take(WatchSink& sink, const KafkaItem& item);
  void hand_over(WatchSink& sink, const KafkaItem& item);
  void answered(KafkaAnswer answer);
  void begin(const KafkaAnswer& answer);
  void follow(const KafkaAnswer& answer);
  void compare(int32_t partition, int64_t position, int64_t end);
  void ask();
  void report(WatchSink& sink);
  Error what_hides() const;
  Instant oldest_arrival() const;
  std::string place() const { return "topic " + settings_.topic + " on " + settings_.brokers; }

  const KafkaWatchSettings settings_;
  io::Io& io_;
  std::unique_ptr<KafkaReader> reader_;
  KafkaCoverage coverage_;
  KafkaWatchCounts counts_;
  std::map<int32_t, Trouble> troubles_;
  std::string text_;  // of the message at hand

  bool missing_topic_ = false;        // the cluster has said so
  Instant missing_at_{};              // when it was last asked
  Error unanswered_;                  // what the last question came to
  Instant asked_{}, answered_{};      // the last question, the last answer
  Instant turned_{};                  // the last turn
  Instant behind_since_{};            // kNever: not behind
  bool queue_empty_ = true;           // at the end of the last turn
  ErrorCode told_ = ErrorCode::none;  // what the sink was last told; none: in sight
  Instant gap_until_{};               // what is proven only before this leaves open when a message came
};

}  // namespace slosonde::checks
