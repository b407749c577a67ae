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
    bool skipped = false;  // an instant alone, for not everything before it was looked at: see skip()
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
  // The topic no longer has the partition: what was in it is lost.
  void forget(int32_t partition);
  // The message at this offset was not looked through to its end: the time in which it arrived is not covered. Before
  // handed_over().
  void skip(int32_t partition, int64_t offset);
  // Whether such a time is still to come.
  bool skipping() const;
  // Whether something was lost since the last proof.
  bool broken() const { return broken_; }

  // The end of each partition, by number, as asked for at an instant. Questions in the order of their instants.
  void ends(Instant asked, std::span<const int64_t> ends);

  // What has been proven since the last call; there may be more, until there is none.
  std::optional<Interval> take();

  // Position of each partition that is being read.
  std::optional<int64_t> position(int32_t partition) const;
  bool held(int32_t partition) const;
  size_t partitions() const { return partitions_.size(); }
  // By number; 0 for those that are not read.
  std::vector<int64_t> positions() const;
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
    int64_t skip_from = 0, skip_to = 0;  // offsets [from, to): the first and the last skipped stand at its edges
  };
  struct Question {
    Instant asked;
    std::vector<int64_t> ends;
  };

  int64_t missing(const Question& question) const;
  static bool skips(const Partition& partition, int64_t end);
  bool skips(const Question& question) const;
  void drop_skipped(const Question& question);
  void break_off();

  std::map<int32_t, Partition> partitions_;
  std::deque<Question> questions_;
  bool begun_ = false;
  bool told_ = true;     // what is proven has been taken
  bool broken_ = false;  // something was lost since the last proof
  bool skipped_ = false;
  Instant from_{}, proven_{};
};

}  // namespace slosonde::checks
