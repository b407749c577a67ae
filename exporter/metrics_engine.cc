// The probe itself: watches, lateness, the engine's loop.
#include <map>
#include <optional>
#include <string>

#include "exporter/metrics.h"

namespace slosonde::exporter {

namespace {

void collect_state(const engine::StateStatus& state, Duration wall_offset, Families& families) {
  gauge(families, "slosonde_state_writable",
        "Whether what is to survive a restart can be written: the last commit's success; absent without a state file.")
      .add({}, state.writable ? 1.0 : 0.0);
  Family committed =
      gauge(families, "slosonde_state_committed_timestamp_seconds",
            "Everything known by then survives a restart, in Unix seconds; absent before the first commit.");
  if (state.committed_to) committed.add({}, static_cast<double>(unix_ns(*state.committed_to + wall_offset)) / 1e9);
  Family commits = counter(families, "slosonde_state_commits_total", "Attempts to commit the state.");
  commits.add({{"result", "ok"}}, static_cast<double>(state.commits));
  commits.add({{"result", "failed"}}, static_cast<double>(state.failures));
  counter(families, "slosonde_state_files_moved_aside_total", "Damaged state files that were moved aside.")
      .add({}, static_cast<double>(state.moved_aside));
}

}  // namespace

void collect_engine(const engine::Snapshot& snapshot, Families& families) {
  const engine::Plan& plan = *snapshot.plan;
  gauge(families, "slosonde_probe_info", "Which probe this is; always 1.")
      .add({{"probe", plan.probe}, {"region", plan.region}, {"zone", plan.zone}}, 1.0);

  Family suspended =
      gauge(families, "slosonde_suspended", "Whether the transaction is suspended and starts no runs: 0 or 1.");
  for (size_t i = 0; i < plan.transactions.size() && i < snapshot.transactions.size(); ++i) {
    suspended.add({{"transaction", plan.transactions[i].name}}, snapshot.transactions[i].suspended_since ? 1.0 : 0.0);
  }

  Family sight = gauge(families, "slosonde_watch_in_sight",
                       "Whether the watch sees its place: 0 or 1; absent until it has reported once.");
  std::map<std::string, int> names;
  for (size_t i = 0; i < plan.watches.size() && i < snapshot.watches.size(); ++i) {
    // Two watches may bear one name (the same topic of two clusters); a series may not.
    const int nth = ++names[plan.watches[i].name];
    std::string name = plan.watches[i].name;
    if (nth > 1) name += " #" + std::to_string(nth);
    const engine::WatchState state = snapshot.watches[i].state;
    if (state == engine::WatchState::starting) continue;
    sight.add({{"watch", name}, {"kind", plan.watches[i].kind}}, state == engine::WatchState::in_sight ? 1.0 : 0.0);
  }

  Family reachable = gauge(families, "slosonde_witness_reachable",
                           "Whether the witness answered when last asked: 0 or 1; absent until that is known.");
  for (size_t i = 0; i < plan.witnesses.size() && i < snapshot.witnesses.size(); ++i) {
    const std::optional<bool>& answers = snapshot.witnesses[i];
    if (answers) reachable.add({{"witness", plan.witnesses[i]}}, *answers ? 1.0 : 0.0);
  }

  histogram(families, "slosonde_start_lateness_seconds", "How long after it was due a run started.")
      .add({}, snapshot.start_lateness);
  histogram(families, "slosonde_loop_lag_seconds", "How much later than asked the engine's loop turned.")
      .add({}, snapshot.loop_lag);
  counter(families, "slosonde_wall_clock_steps_total",
          "Times the wall clock was set under the probe, by more than half a second.")
      .add({}, static_cast<double>(snapshot.wall_steps));
  counter(families, "slosonde_clean_up_dropped_total",
          "Clean-up steps (finally) that were not begun: their transaction had its share of the checks in flight.")
      .add({}, static_cast<double>(snapshot.clean_up_dropped));
  gauge(families, "slosonde_engine_last_turn_timestamp_seconds",
        "When the engine last gave the figures shown here, in Unix seconds; they are as old as that.")
      .add({}, static_cast<double>(unix_ns(snapshot.at + snapshot.wall_offset)) / 1e9);
  if (snapshot.state) collect_state(*snapshot.state, snapshot.wall_offset, families);
}

}  // namespace slosonde::exporter
