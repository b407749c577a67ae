// What the witnesses have said: whether the network on our own side works.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "probe/base/error.h"
#include "probe/base/time.h"
#include "probe/engine/coverage.h"

namespace slosonde::engine {

// How often all witnesses are asked, and how long they have to answer.
constexpr Duration kWitnessEvery = std::chrono::seconds(1);
constexpr Duration kWitnessDeadline = std::chrono::milliseconds(900);
// A failure waits at most so long for what they say; then it is its target's.
constexpr Duration kWitnessPatience = std::chrono::seconds(5);
// Once our network is back what watches places has this long to find them again.
constexpr Duration kWitnessRecovery = std::chrono::seconds(15);

// Whether a failure of this kind may come from a network that is down. (A refusal has come over it.)
bool may_be_network(ErrorCode code);

// All witnesses are asked at once, again and again: a round. It is answered as soon as one of them answers, and silent
// once all have failed. As long as none has ever answered (the address may be wrong), their silence says nothing.
// Engine thread.
class WitnessLog {
 public:
  explicit WitnessLog(size_t witnesses) : last_(witnesses), heard_(witnesses) {}
  // Goes on with those that another plan had as well: by witness, its index there.
  void take_over(WitnessLog& before, const std::vector<std::optional<size_t>>& was);

  bool none() const { return last_.empty(); }

  // What one of them said in the round that was asked at `asked`; rounds come one after the other.
  struct Said {
    bool known = false;   // this round is known from now on
    bool turned = false;  // and says another thing than the one before
  };
  Said say(size_t witness, Instant asked, bool reachable, Instant now);

  enum class Side : uint8_t { theirs, ours, unknown };
  // Whose a failure is that began at `began` and was there at `failed`. Ours: nobody answered at `failed`, or in the
  // first round after it, or for most of the time since `began`. Unknown at `now`: that round may still come. What has
  // been forgotten, or came too late, makes a failure its target's.
  Side side(Instant began, Instant failed, Instant now) const;
  // The same of a place that failed then and has not come back: ours no longer than until it could have been found
  // again.
  Side side_of_place(Instant began, Instant failed, Instant now) const;

  bool silent() const { return last_silent_; }
  // Nobody answers from then on; while silent() only.
  Instant silent_since() const { return silence_.spans().back().from; }
  // How long of (from, to] nobody answered.
  Duration silence(Instant from, Instant to) const;
  // When what watches places should have found them again after the last silence; kNever: there was none, or it lasts.
  Instant recovered_at() const;

  // By witness: what it said last; nothing yet.
  const std::vector<std::optional<bool>>& last() const { return last_; }

 private:
  bool any_heard() const;
  // The last silence of which a failure may come.
  std::optional<TimeSpan> cause(Instant began, Instant failed) const;

  std::vector<std::optional<bool>> last_;
  struct Round {
    Instant asked = Instant::min();
    size_t silent = 0;
    bool known = false;
  };
  Round round_;
  std::vector<bool> heard_;              // by witness: it has answered once
  Instant last_known_ = Instant::min();  // when the last round was asked that is known
  bool last_silent_ = false;
  // When nobody answered, from asking to giving up, over rounds that follow each other.
  Coverage silence_;
};

}  // namespace slosonde::engine
