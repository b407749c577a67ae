// The core: its parts, and what goes from one to the other. An input is noted where it belongs (Sight, and Reports on
// the runs of the RunBook); the queue says which instant is next; there the Judge decides, and its facts go to the
// orders, the RunBook, Sight, Stats and the SliBook. None of them knows the one before.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "probe/engine/backoff.h"
#include "probe/engine/core.h"
#include "probe/engine/facts.h"
#include "probe/engine/judge.h"
#include "probe/engine/keep.h"
#include "probe/engine/reports.h"
#include "probe/engine/run_book.h"
#include "probe/engine/run_markers.h"
#include "probe/engine/schedule.h"
#include "probe/engine/schedule_queue.h"
#include "probe/engine/sight.h"
#include "probe/engine/sli_book.h"
#include "probe/engine/starvation.h"
#include "probe/engine/stats.h"
#include "probe/engine/suspensions.h"
#include "probe/engine/witness_log.h"

namespace slosonde::engine {

// feed() notes what was reported; advance() takes the queue's entries in the order of their instants, whatever the
// order in which things were reported, and decides at the entry's instant. Between two advances every fact has been
// taken: the parts agree with each other, and together are all there is.
class Core::Impl {
 public:
  Impl(std::shared_ptr<const Plan> plan, CoreOptions options);
  // Takes over from `before`, which has nothing left, at its now.
  Impl(Impl& before, const Succession& kept, std::shared_ptr<const Plan> plan, uint64_t epoch);

  const Plan& plan() const { return *plan_; }
  // Closes all runs of the transactions that do not go on.
  void cut(Instant now, const Succession& kept, Outputs& outputs);

  void feed(Instant now, Input input);
  void advance(Instant now, Outputs& outputs);
  Instant next_due() const;
  bool ready() const { return was_ready_ || now_ >= options_.start + plan_->settle || sight_.all_reported(); }
  uint64_t in_flight() const { return runs_.in_flight(); }
  std::shared_ptr<Snapshot> snapshot(Instant now);
  store::Batch take_changes(bool whole);
  Result<void> command(Instant now, const Command& command);

 private:
  void restore();
  void equip_transactions();
  void begin();
  void cut(Run& run);
  void take_over(Impl& before, uint32_t transaction, uint32_t was);
  void begin_anew(Impl& before, uint32_t transaction, uint32_t was);
  std::vector<std::string> latencies_of(uint32_t transaction) const;
  void wait_again(const Run& run);
  void count_dropped(const DroppedRun& run);

  // Inputs.
  void take(CheckDone& done);
  void take(EvidenceSeen& seen);
  void take(Covered& covered);
  void take(OutOfSight& lost);
  void take(Trigger& trigger);
  void take(Drain& drain);
  void take(WallStep& step);
  void take(Starved& starved);
  void take(WitnessSaid& said);
  void match(const EvidenceSeen& seen, const ledger::MarkerHit& hit);
  void count_on_attached(const EvidenceSeen& seen, Sighting kind, std::optional<uint32_t> only);
  void wake(const std::vector<RunId>& runs);

  // The turn.
  void handle(const DueEntry& entry);
  void handle_slot(uint32_t transaction, Instant slot);
  void begin_if_ready(uint32_t transaction, Instant now);
  void begin_those_ready(size_t watch);
  void miss(uint32_t transaction, const MissedSlots& missed);
  Result<void> take(const ExclusionOrder& order);
  Result<void> take(const EndExclusion& order);
  Result<void> take(const Suspend& order);
  slo::Event event_for(const Run& run, slo::Event event) const;
  void start_triggered();
  void start_run(uint32_t transaction, Instant due, Origin origin);
  void step(Run& run, Instant t);

  // Facts.
  void apply(Run& run, const AttemptStarts& fact);
  void apply(Run& run, const AttemptEnds& fact);
  void apply(Run& run, const StepStarts& fact);
  void apply(Run& run, const StepEnds& fact);
  void apply(Run& run, const CleanedUp& fact);
  void apply(Run& run, const AwaitsSight& fact);
  void apply(Run& run, const SightSettled& fact);
  void apply(Run& run, const AsksWitnesses& fact);
  void apply(Run& run, const Sighted& fact);
  void apply(Run& run, const Hopped& fact);
  void apply(Run& run, const StageDecided& fact);
  void apply(Run& run, const StageFinal& fact);
  void apply(Run& run, const LatencyDecided& fact);
  void apply(Run& run, const PlaceFree& fact);
  void apply(Run& run, const RunDecided& fact);
  void apply(Run& run, const RunOver& fact);
  StartCheck order_for(const Run& run, size_t index, bool finally) const;

  void notice(Notice::Kind kind, std::string subject, std::string text);
  SliBook::Tell tell_of_alerts();
  uint32_t transactions() const { return static_cast<uint32_t>(plan_->transactions.size()); }
  const StagePlan& plan_of(const Attached& one) const { return plan_->transactions[one.transaction].stages[one.stage]; }

  std::shared_ptr<const Plan> plan_;
  CoreOptions options_;
  ScheduleQueue queue_;
  Schedule schedule_;
  RunMarkers markers_;
  RunBook runs_;
  Sight sight_;
  Starvation starvation_;
  WitnessLog witnesses_;
  Reports reports_;
  Judge judge_;
  Stats stats_;
  SliBook slis_;
  Exclusions exclusions_;
  Suspensions suspensions_;
  SliBook::Tell tell_of_alerts_;
  std::optional<Keep> keep_;

  Instant now_{};
  bool was_ready_ = false;                    // under a plan before
  std::set<RunId> asking_;                    // the witnesses: runs that wait for their next round
  std::vector<Backoff> backoffs_;             // by transaction
  std::vector<uint32_t> triggers_waiting_;    // by transaction
  std::vector<std::vector<size_t>> watches_;  // by transaction
  Duration wall_offset_{};
  uint64_t wall_steps_ = 0;

  Facts facts_;                  // of the run that is stepped
  std::vector<Output> notices_;  // from feed(), for the next advance()
  Outputs* outputs_ = nullptr;   // during advance()
};

}  // namespace slosonde::engine
