// What hides a topic from its watch, and whose fault that is. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "probe/base/error.h"
#include "probe/base/time.h"

namespace slosonde::checks {

// The brokers have some seconds to answer a question and to hand out what stands before us. Time in which we stood
// still ourselves is no silence of theirs: see awoke(). Instants in the order of time.
class KafkaBlame {
 public:
  explicit KafkaBlame(std::string place) : place_(std::move(place)) {}

  // A question has gone out, and what it came to; none: it was answered. What a question came to during which we stood
  // still says nothing, unless it was answered.
  void asked(Instant now);
  void answered(const Error& error);
  // It was answered, and we could not do what followed from it.
  void failed(const Error& error) { unanswered_ = error; }

  // How many messages are still to come, 0: none; and whether the queue they come through is empty.
  void behind(Instant now, int64_t messages, bool queue_empty);
  bool is_behind() const { return behind_since_ != kNever; }

  // We stood still until now: all that is waited for is waited for from now on.
  void awoke(Instant now);

  // None: nothing hides it. The place's faults come before our own. `trouble`: the worst of what is known of a single
  // partition; `skipped`: of a message that was not looked through.
  Error what_hides(Instant now, const Error& trouble, const Error& skipped) const;

 private:
  Error what_is_behind(Instant now) const;

  const std::string place_;
  Error unanswered_;              // what the last question came to
  Instant waits_since_ = kNever;  // for an answer
  bool slept_ = false;            // since the question
  Instant behind_since_ = kNever;
  int64_t messages_ = 0;
  bool queue_empty_ = true;
};

}  // namespace slosonde::checks
