// Declared maintenance windows: those of the plan, and those that were declared to the running probe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "probe/base/result.h"
#include "probe/base/time.h"
#include "probe/engine/plan.h"
#include "probe/engine/snapshot.h"
#include "probe/store/batch.h"

namespace slosonde::engine {

// A window as it is declared to the running probe.
struct ExclusionOrder {
  std::string name;
  std::vector<std::string> transactions;  // none: all
  std::optional<slo::WallTime> start;     // none: now
  std::optional<slo::WallTime> end;       // none: `lasts` after the start
  Duration lasts{};
};

constexpr size_t kMostDeclaredExclusions = 100;
constexpr Duration kLongestDeclaredExclusion = std::chrono::hours(24 * 31);
// One that is over is still shown for so long, and covers runs that are still open.
constexpr Duration kShownOver = std::chrono::hours(48);

// Windows are by the wall clock, and what is asked of them by the probe's own line: each question is answered by the
// offset between the two as it is then, so that a step of the clock needs nothing done. Engine thread.
class Exclusions {
 public:
  // `plan` outlives it.
  explicit Exclusions(const Plan& plan);

  // What the wall clock says beyond an Instant, from now on.
  void wall_offset(Duration offset) { wall_offset_ = offset; }

  // Whether a run of the transaction that was due then is excluded: a window of it touches the time from there to the
  // run's latest limit, each stage that counts from another one taken to do so from that one's own limit. When it was
  // decided is no matter: a bad run is decided later than a good one, and is not to be excluded the sooner for it.
  bool covers_run(uint32_t transaction, Instant due) const;

  // Slots `first`, first + every, … (`count` of them) in parts that are covered or not, in the order of time. Of what
  // lies long before the last one (slo::kMostLookedAt) nothing is covered.
  using PartOfSlots = std::function<void(Instant first, uint64_t count, bool covered)>;
  void split(uint32_t transaction, Instant first, Duration every, uint64_t count, const PartOfSlots& tell) const;

  // Errors: rejected (there is one of that name, or there are too many), malformed (its times), bad_config (no such
  // transaction).
  Result<void> declare(const ExclusionOrder& order, Instant now);
  // Ends a declared one: what was counted stays. bad_config: there is none of that name; rejected: the configuration
  // has it. (Should both have it, since a restart with another configuration, the declared one is ended.)
  Result<void> end(const std::string& name, Instant now);

  // Those that were declared, and have been over for kShownOver, are shown and kept no longer.
  void forget_over(Instant now) { forget_over(now + wall_offset_, false); }

  std::vector<ExclusionStatus> statuses(Instant now) const;

  // What a store keeps of the declared ones, and gives back.
  void restore(const store::Batch& kept, Instant now);
  void take_changes(bool whole, store::Batch& batch);
  // Goes on with those that were declared under another plan. What that plan had and this one has not ends now: it
  // still covers the runs that were due before.
  void take_over(const Exclusions& before, Instant now);

 private:
  struct One {
    ExclusionPlan plan;
    std::vector<std::string> names;  // of its transactions; none: all
    bool declared = false;
    std::optional<Instant> ended;  // before its time
    // Of an earlier plan, or given way to another: covers what was due before it ended, and is not shown.
    bool gone = false;
    bool applies(uint32_t transaction) const;
    bool covers(Instant from, Instant to, Duration wall_offset) const;
  };

  bool covers(uint32_t transaction, Instant from, Instant to) const;
  One* find(const std::string& name, slo::WallTime wall_now);
  void add_declared(store::KeptExclusion kept);
  void retire(One& one);
  void forget_over(slo::WallTime wall_now, bool make_room);
  std::vector<store::KeptExclusion> kept() const;

  const Plan& plan_;
  std::vector<Duration> limits_;  // by transaction, from due
  Duration wall_offset_{};
  std::vector<One> all_;
  bool changed_ = false;  // since it was last taken
};

}  // namespace slosonde::engine
