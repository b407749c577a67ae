// The core's state and its parts. One class, several files: core.cc (inputs and the turn), schedule.cc (slots and
// runs), match.cc (evidence), judge.cc (verdicts of stages), judge_action.cc (checks), judge_run.cc (runs, finally,
// closing), stats.cc and stats_slo.cc (counting), core_view.cc (views).
//
// The order of things. feed() notes what was reported; advance() takes the queue's entries in the order of their
// instants, whatever the order in which things were reported, and decides at the entry's instant. "t" is always that
// instant, now_ is when advance() was called.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "probe/engine/core.h"
#include "probe/engine/core_coverage.h"
#include "probe/engine/histogram.h"
#include "probe/engine/run_state.h"
#include "probe/engine/schedule_queue.h"
#include "probe/engine/stats_book.h"
#include "probe/ledger/marker.h"
#include "probe/slo/quantile.h"

namespace slosonde::engine {

// A result of a check that was made in time may be handed over this much after the limit.
constexpr Duration kJudgeGrace = std::chrono::milliseconds(20);
// Slots this late are all started: the loop's own grain is no stall.
constexpr Duration kSlotGrain = std::chrono::milliseconds(10);
// Judged this much too late (or max_lateness, if longer), we were starved, and a check's silence says nothing.
constexpr Duration kLeastStarved = std::chrono::milliseconds(100);
// How often windows move.
constexpr Duration kTickEvery = slo::kFineSlot;
constexpr Duration kPercentilesEvery = std::chrono::seconds(5);
// Runs kept of one transaction, those that only wait for sight or late evidence among them; more slots are missed.
constexpr size_t kMostOpenRuns = 1 << 17;
// Triggered runs of one transaction that are not yet decided.
constexpr uint32_t kMostTriggered = 16;
constexpr size_t kMostShownOpen = 1000;  // runs in flight that a snapshot shows, of one transaction

class Core::Impl {
 public:
  Impl(std::shared_ptr<const Plan> plan, CoreOptions options);

  void feed(Instant now, Input input);
  void advance(Instant now, Outputs& outputs);
  Instant next_due() const;
  bool ready() const;
  uint64_t in_flight() const;
  std::shared_ptr<const RunRecord> find_run(std::string_view marker);
  std::shared_ptr<Snapshot> snapshot(Instant now);

 private:
  struct StageTally {  // what is counted of a stage, and what its percentiles are computed from
    StageStats shown;
    slo::LatencySamples samples;
    bool new_samples = false;
    Instant percentiles_at{};
  };
  struct Transaction {
    uint32_t index = 0;
    uint64_t stream = 0;
    Duration phase{};
    bool begun = false;
    bool newly_covered = false;  // within one take()
    Instant next_slot = kNever;
    uint64_t next_seq = 1;
    uint64_t first_open = 1;                // seq of open.front()
    std::deque<std::unique_ptr<Run>> open;  // by seq; null: closed
    size_t open_runs = 0;
    uint64_t undecided = 0;
    uint32_t places = 0, triggered = 0;  // undecided runs that count against max_in_flight, kMostTriggered
    uint32_t triggers_waiting = 0;
    bool missing = false;  // the last slot was missed
    bool last_judged_bad = false;
    TransactionStats shown;  // without stages
    std::vector<StageTally> stages;
    std::deque<std::shared_ptr<const RunRecord>> kept;  // newest first
    std::vector<size_t> slos, latency_slos;
    std::vector<size_t> watches;
  };
  struct Attached {
    uint32_t transaction = 0;
    size_t stage = 0;
  };
  // Something of a run (`what`: a stage, or behind the stages a latency SLO) that waits until [due, until] is covered.
  struct Waiting {
    Instant due{}, until{};
    RunId run;
    size_t what = 0;
    friend auto operator<=>(const Waiting&, const Waiting&) = default;
  };
  struct WatchTracking {
    WatchStatus status;
    Coverage coverage;
    std::vector<Attached> attached;
    std::set<Waiting> waiting;
    bool covered_once = false;
    Instant told_at{};  // when it last reported what it covers or that it sees nothing
  };

  // core.cc
  void equip(Transaction& transaction, uint32_t index);
  void take(Instant now, CheckDone& done);
  void take(Instant now, EvidenceSeen& seen);
  void take(Instant now, Covered& covered);
  void take(Instant now, OutOfSight& lost);
  void take(Instant now, Trigger& trigger);
  void take(Instant now, Drain& drain);
  void take(Instant now, WallStep& step);
  void handle(const DueEntry& entry);
  void notice(Notice::Kind kind, std::string subject, std::string text);
  const TransactionPlan& plan_of(const Transaction& t) const { return plan_->transactions[t.index]; }
  Transaction& transaction_of(const Run& run) { return transactions_[run.id.transaction]; }
  const StagePlan& stage_plan(const Run& run, size_t stage) const {
    return plan_->transactions[run.id.transaction].stages[stage];
  }
  bool starved(Instant t) const { return now_ - t > starved_after_; }

  // schedule.cc
  void begin_if_ready(Transaction& t, Instant now);
  void handle_slot(Transaction& t, Instant slot);
  void miss(Transaction& t, Instant first, uint64_t n, std::string_view why);
  void start_triggered();
  void start_run(Transaction& t, Instant due, Origin origin);
  Run* find_open(uint32_t transaction, uint64_t seq);
  void wake(Run& run, Instant t);
  void give_back_place(Run& run);
  ledger::MarkerId marker_id(const Run& run) const;

  // match.cc
  void match(WatchTracking& watch, const EvidenceSeen& seen, Instant now, const ledger::MarkerHit& hit);
  void sight(Run& run, size_t stage, const checks::Evidence& evidence, Instant now);
  bool payload_intact(const Run& run, const StagePlan& plan);
  void count_on_attached(const WatchTracking& watch, const checks::Evidence& evidence, Sighting kind,
                         const Transaction* only);
  void proceed_waiting(WatchTracking& watch, const TimeSpan& covered, Instant now);
  void proceed_all_waiting(WatchTracking& watch, Instant now);
  WatchTracking& watch_of(const Run& run, size_t stage) { return watches_[stage_plan(run, stage).watch]; }

  // judge.cc
  void step(Run& run, Instant t);
  void step_stage(Run& run, size_t i, Instant t);
  void resolve_from(Run& run, size_t i, Instant t);
  void take_report(Run& run, size_t i, Instant t);
  void on_seen(Run& run, size_t i, Instant t);
  void judge_sighting(Run& run, size_t i, Instant at);
  void judge_watched(Run& run, size_t i, Instant t);
  void decide(Run& run, size_t i, StageVerdict verdict, Instant at);
  void decide_bad_for_now(Run& run, size_t i, Instant at);
  void decide_failed(Run& run, size_t i, Error error, Instant at);
  void decide_fault(Run& run, size_t i, Error error, Instant at);
  void follow_from(Run& run, size_t i);
  void skip(Run& run, size_t i, Instant at);
  void blind(Run& run, size_t i, bool fault, Instant at);
  Instant next_wake(const Run& run, Instant t) const;

  // judge_action.cc
  void act(Run& run, size_t i, Instant t);
  bool may_start(Run& run, size_t i);
  void start_attempt(Run& run, size_t i);
  void judge_action(Run& run, size_t i, Instant t);
  void judge_never_started(Run& run, size_t i);
  void take_result(Run& run, size_t i, Instant now, checks::CheckResult& result);
  void take_poll(Run& run, size_t i, Instant now, checks::CheckResult& result);
  void take_final_result(Run& run, size_t i, Instant now, checks::CheckResult& result);
  void keep_captures(Run& run, checks::Captures& fresh);
  void cancel_attempt(Run& run, size_t i);

  // judge_run.cc
  void step_run(Run& run, Instant t);
  void decide_run(Run& run);
  void step_finally(Run& run, Instant t);
  void close(Run& run);

  // stats.cc
  void count_attempt(const Run& run, size_t i, const checks::CheckResult& result);
  void count_decided(const Run& run, size_t i);
  void count_final(const Run& run, size_t i);
  void count_order(Run& run, size_t i);
  void count_hop(Run& run, size_t i);
  void count_sighting(const Run& run, size_t i, Sighting kind);
  void count_run(const Run& run);
  void tell_of(const Run& run, Transaction& t);

  // stats_slo.cc
  void count_slo(size_t slo, Instant at, slo::Event event);
  void step_latency_slos(Run& run, Instant t);
  enum class LatencyState : uint8_t { open, awaits_sight, none, good, bad, blind, probe_fault };
  LatencyState latency_state(const Run& run, size_t stage, Instant fast_until, Instant t, bool waits) const;
  void step_alerts(size_t slo, Instant now);
  void step_changed_alerts(Instant now);
  static size_t latency_stage(const Run& run, const SloPlan& slo);
  StageTally& tally(const Run& run, size_t i) { return transactions_[run.id.transaction].stages[i]; }

  // core_view.cc
  std::shared_ptr<const RunRecord> show(Run& run);
  void renew_percentiles(Instant now);

  std::shared_ptr<const Plan> plan_;
  CoreOptions options_;
  ledger::MarkerCodec codec_;
  std::vector<Transaction> transactions_;
  std::vector<std::pair<uint64_t, uint32_t>> streams_;  // stream → transaction, ascending
  std::vector<WatchTracking> watches_;
  std::vector<SloBook> slos_;
  ScheduleQueue queue_;
  ledger::Findings findings_;
  std::vector<Output> notices_;  // from feed(), for the next advance()
  Outputs* outputs_ = nullptr;   // during advance()
  Instant now_{};
  uint64_t cleaning_up_ = 0;  // decided runs whose finally goes on
  std::vector<size_t> changed_slos_;
  Duration starved_after_{};
  bool draining_ = false;
  Histogram start_lateness_;
  Duration wall_offset_{};
  uint64_t wall_steps_ = 0;
  Instant percentiles_at_{};
};

}  // namespace slosonde::engine
