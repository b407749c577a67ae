// Runs and stages.
#include <string>

#include "exporter/metrics.h"
#include "exporter/text.h"
#include "probe/engine/run.h"

namespace slosonde::exporter {
namespace {

using engine::Snapshot;
using engine::StagePlan;
using engine::StageStats;

// Calls f(transaction name, stage plan, stage figures) for every stage.
template <class F>
void each_stage(const Snapshot& snapshot, F f) {
  const auto& plans = snapshot.plan->transactions;
  for (size_t t = 0; t < plans.size() && t < snapshot.transactions.size(); ++t) {
    const auto& stats = snapshot.transactions[t].stages;
    for (size_t s = 0; s < plans[t].stages.size() && s < stats.size(); ++s) {
      f(plans[t].name, plans[t].stages[s], stats[s]);
    }
  }
}

void collect_stage_counters(const Snapshot& snapshot, Families& families) {
  Family verdicts = counter(families, "slosonde_stages_total", "Stages of scheduled runs by what became of them.");
  each_stage(snapshot, [&](const std::string& transaction, const StagePlan& stage, const StageStats& stats) {
    for (int v = 0; v < engine::kStageVerdicts; ++v) {
      verdicts.add({{"transaction", transaction},
                    {"stage", stage.name},
                    {"verdict", engine::name(static_cast<engine::StageVerdict>(v))}},
                   static_cast<double>(stats.verdicts[static_cast<size_t>(v)]));
    }
  });
  Family failures = counter(families, "slosonde_stage_failures_total", "Stages with verdict failed by reason.");
  each_stage(snapshot, [&](const std::string& transaction, const StagePlan& stage, const StageStats& stats) {
    for (int code = 1; code < kErrorCodes; ++code) {
      failures.add(
          {{"transaction", transaction}, {"stage", stage.name}, {"reason", name(static_cast<ErrorCode>(code))}},
          static_cast<double>(stats.failures[static_cast<size_t>(code)]));
    }
  });
  Family sightings = counter(families, "slosonde_sightings_total", "Markers seen by kind of sighting.");
  each_stage(snapshot, [&](const std::string& transaction, const StagePlan& stage, const StageStats& stats) {
    for (int kind = 0; kind < engine::kSightings; ++kind) {
      sightings.add({{"transaction", transaction},
                     {"stage", stage.name},
                     {"kind", engine::name(static_cast<engine::Sighting>(kind))}},
                    static_cast<double>(stats.sightings[static_cast<size_t>(kind)]));
    }
  });
}

void collect_stage_histograms(const Snapshot& snapshot, Families& families) {
  Family latency = histogram(families, "slosonde_stage_latency_seconds",
                             "Time from when a run was due to when the stage was seen; lost and failed ones in +Inf.");
  each_stage(snapshot, [&](const std::string& transaction, const StagePlan& stage, const StageStats& stats) {
    latency.add({{"transaction", transaction}, {"stage", stage.name}}, stats.latency);
  });
  Family hop = histogram(families, "slosonde_stage_hop_seconds", "Time from the previous stage to this one.");
  each_stage(snapshot, [&](const std::string& transaction, const StagePlan& stage, const StageStats& stats) {
    hop.add({{"transaction", transaction}, {"stage", stage.name}}, stats.hop);
  });
  Family phases = histogram(families, "slosonde_check_phase_seconds",
                            "Time of the parts of a check; a part that did not happen is not observed.");
  each_stage(snapshot, [&](const std::string& transaction, const StagePlan& stage, const StageStats& stats) {
    if (stage.mode == engine::StageMode::watched) return;
    for (int phase = 0; phase < checks::kPhases; ++phase) {
      phases.add({{"transaction", transaction},
                  {"stage", stage.name},
                  {"phase", checks::name(static_cast<checks::Phase>(phase))}},
                 stats.phases[static_cast<size_t>(phase)]);
    }
  });
}

std::string_view bound_name(engine::Bound bound) {
  switch (bound) {
    case engine::Bound::lower:
      return "lower";
    case engine::Bound::upper:
      return "upper";
    case engine::Bound::point:
      break;
  }
  return "point";
}

void collect_stage_gauges(const Snapshot& snapshot, Families& families) {
  Family percentiles = gauge(families, "slosonde_stage_latency_percentile_seconds",
                             "Exact percentiles of the latency over sliding windows, with one-sided 95 % bounds that "
                             "hold if runs are independent; +Inf where the percentile falls among lost runs.");
  each_stage(snapshot, [&](const std::string& transaction, const StagePlan& stage, const StageStats& stats) {
    for (const engine::Percentile& one : stats.percentiles) {
      std::string percentile;
      append_number(one.percentile, percentile);
      percentiles.add({{"transaction", transaction},
                       {"stage", stage.name},
                       {"percentile", percentile},
                       {"window", format_duration(one.window)},
                       {"bound", bound_name(one.bound)}},
                      one.seconds);
    }
  });
  Family expiry = gauge(families, "slosonde_tls_certificate_expiry_timestamp_seconds",
                        "When the certificate last shown by the stage's target expires, in Unix seconds.");
  each_stage(snapshot, [&](const std::string& transaction, const StagePlan& stage, const StageStats& stats) {
    if (!stats.certificate_expiry) return;
    expiry.add({{"transaction", transaction}, {"stage", stage.name}},
               static_cast<double>(unix_ns(*stats.certificate_expiry)) / 1e9);
  });
}

}  // namespace

void collect_runs(const Snapshot& snapshot, Families& families) {
  const auto& plans = snapshot.plan->transactions;
  const size_t count = std::min(plans.size(), snapshot.transactions.size());
  Family runs = counter(families, "slosonde_runs_total", "Scheduled runs by verdict.");
  for (size_t t = 0; t < count; ++t) {
    for (int v = 0; v < engine::kRunVerdicts; ++v) {
      runs.add({{"transaction", plans[t].name}, {"verdict", engine::name(static_cast<engine::RunVerdict>(v))}},
               static_cast<double>(snapshot.transactions[t].verdicts[static_cast<size_t>(v)]));
    }
  }
  Family in_flight = gauge(families, "slosonde_runs_in_flight", "Runs that have started and are not decided.");
  for (size_t t = 0; t < count; ++t) {
    in_flight.add({{"transaction", plans[t].name}}, static_cast<double>(snapshot.transactions[t].in_flight));
  }
}

void collect_stages(const Snapshot& snapshot, Families& families) {
  collect_stage_counters(snapshot, families);
  collect_stage_histograms(snapshot, families);
  collect_stage_gauges(snapshot, families);
}

}  // namespace slosonde::exporter
