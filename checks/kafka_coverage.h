// What a reader of a Kafka topic can prove to have seen. Pure.
//
// The ends of all partitions, asked for at an instant t, say what had arrived by t: everything before them. Once the
// position of every partition is at or past its end, all that arrived up to t has been handed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "probe/base/time.h"

namespace slosonde::checks {

class KafkaCoverage {
 public:
  struct Interval {
    Instant from, to;
    friend bool operator==(const Interval&, const Interval&) = default;
  };

  // Reading begins (or begins anew) at `at`, of the partitions started so far: nothing before it will be proven,
  // everything after it can be. That instant itself is proven once none of them is held.
  void begin(Instant at);
  bool begun() const { return begun_; }

  // Reading of a partition goes on at this offset. Where `lost` is true, what stood between the old position and this
  // one was never read: the time from the last proof to the next one is not covered by either.
  void start(int32_t partition, int64_t offset, bool lost = false);
  // Everything of the partition before `position` has been handed over; says that reading works.
  void handed_over(int32_t partition, int64_t position);
  // Reading of the partition failed: nothing more is proven until handed_over() says that it works again.
  void hold(int32_t partition);

  // The end of each partition, by number, as asked for at an instant. Questions in the order of their instants.
  void ends(Instant asked, std::span<const int64_t> ends);

  // What has been proven since the last call.
  std::optional<Interval> take();

  // Position of each partition that is being read.
  std::optional<int64_t> position(int32_t partition) const;
  bool held(int32_t partition) const;
  size_t partitions() const { return partitions_.size(); }
  // How many messages are still to come before the oldest question is answered; 0: none waits. A held partition counts
  // as one.
  int64_t behind() const;
  // Up to when all is proven; meaningless before begin().
  Instant proven() const { return proven_; }

  // Questions kept while reading lags. At this many the newest replaces the one before it.
  static constexpr size_t kMaxQuestions = 16;

 private:
  struct Partition {
    int64_t position = 0;
    bool held = false;
  };
  struct Question {
    Instant asked;
    std::vector<int64_t> ends;
  };

  int64_t missing(const Question& question) const;

  std::map<int32_t, Partition> partitions_;
  std::deque<Question> questions_;
  bool begun_ = false;
  bool told_ = true;     // what is proven has been taken
  bool broken_ = false;  // something was lost since the last proof
  Instant from_{}, proven_{};
};

}  // namespace slosonde::checks
