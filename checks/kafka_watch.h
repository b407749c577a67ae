// Reads every partition of a topic, and says what it can prove to have seen.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/append_clock.h"
#include "checks/kafka_blame.h"
#include "checks/kafka_coverage.h"
#include "checks/net/kafka_reader.h"
#include "checks/net/kafka_words.h"
#include "checks/watch.h"
#include "probe/io/io.h"

namespace slosonde::checks {

struct KafkaWatchSettings {
  std::string topic, brokers;
  Duration ask_every = std::chrono::milliseconds(500);
  size_t max_message = 8 * 1024 * 1024;   // bytes looked through of one message's value, and of its key and headers
  std::optional<Duration> clock_error{};  // see AppendClock
};

// - Where reading begins: at the ends as they are when the watch first reaches the cluster, so that everything that
//   arrives after "ready" is seen; a topic that was not there then, and a partition that comes later, from the
//   beginning.
//   A position kept of an earlier process comes before all that, as after a gap in sight; one that is older than an
//   hour is given up, for reading so much would keep everything waiting.
// - What is proven: see KafkaCoverage. Partitions and their ends are asked for together, every `ask_every`.
// - `item`: partition and offset, so that what is read twice is known as a redelivery.
// - The text: key, headers as "name: value" and value, each on its own line.
// - seen_lo, seen_hi: when the message reached us. After a gap in sight, while reading lags, and when the process
// itself
//   was held up, seen_lo is the last instant that is proven instead: the message may be as old as that. What its broker
//   says of when it was appended may narrow that (AppendClock).
// - What is longer than `max_message` is looked through up to there; the time it arrived in is not covered then, and
// the
//   fault is ours.
// - Trouble of one partition stops what is proven, not the reading of the others; it is begun again every two seconds.
//   Where its position is gone, the time between is covered by nothing: deleted by age before it was read is our fault,
//   cut short or made anew is the place's.
// - A topic that was made anew is known by its being shorter than what was read, by partitions that are no more, or by
//   the cluster's having known no such topic in between.
class KafkaWatch final : public Watch {
 public:
  KafkaWatch(KafkaWatchSettings settings, io::Io& io, std::unique_ptr<KafkaReader> reader);

  boost::asio::awaitable<Error> watch(WatchSink& sink) override;
  std::string position() const override;
  void resume_from(std::string_view position) override;

 private:
  struct Trouble {
    Error error;
    Instant retry{};       // when to begin the partition again
    bool shorter = false;  // the trouble is its length, or that it is no more
    bool anew = false;     // it may be another one of the same name: to be begun again, whatever comes of it till then
  };

  bool turn(WatchSink& sink);  // whether more waits in the queue
  void take(WatchSink& sink, const KafkaItem& item);
  void hand_over(WatchSink& sink, const KafkaItem& item);
  void skip(const KafkaItem& item, size_t size);
  void answered(KafkaAnswer answer);
  void begin(const KafkaAnswer& answer);
  void follow(const KafkaAnswer& answer);
  Error start(int32_t partition, int64_t offset, bool lost);
  bool resume(const KafkaStopped& stopped);  // whether something was lost
  void compare(int32_t partition, int64_t end);
  void vanished(size_t partitions);
  void doubt_all();
  void reads(int32_t partition, int64_t position);
  void ask();
  void prove(WatchSink& sink);
  void tell(WatchSink& sink);
  Error worst_trouble() const;
  Instant oldest_arrival() const;
  std::string place() const { return kafka_place(settings_.topic, settings_.brokers); }
  std::string place(int32_t partition) const { return place() + ", partition " + std::to_string(partition); }

  const KafkaWatchSettings settings_;
  io::Io& io_;
  std::unique_ptr<KafkaReader> reader_;
  KafkaCoverage coverage_;
  KafkaBlame blame_;
  AppendClock append_clock_;
  std::map<int32_t, Trouble> troubles_;
  std::string text_;                      // of the message at hand
  std::vector<int64_t> asked_positions_;  // by partition, at the last question
  Error skipped_;                         // of a message that was not looked through; till that is behind us

  struct Position {
    Instant proven{};
    std::vector<int64_t> offsets;  // by partition
  };
  bool fits(const Position& kept, const KafkaAnswer& answer) const;
  std::optional<Position> kept_;  // until reading has begun
  // While something that was not looked at, or was lost, is not behind us: the position before it, so that who goes on
  // from there comes upon it, too.
  mutable std::string sound_position_;

  bool missing_topic_ = false;        // the cluster has said so
  Instant missing_at_{};              // when it was last asked
  Instant asked_{}, answered_{};      // the last question, the last answer
  Instant turned_{};                  // when the last turn began
  bool queue_empty_ = true;           // at the end of the last turn
  ErrorCode told_ = ErrorCode::none;  // what the sink was last told; none: in sight
  Instant gap_until_{};               // what is proven only before this leaves open when a message came
};

}  // namespace slosonde::checks
