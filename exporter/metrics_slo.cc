// SLIs and SLOs.
#include <set>
#include <string>

#include "exporter/metrics.h"

namespace slosonde::exporter {
namespace {

using engine::SloPlan;
using engine::SloStatus;
using engine::Snapshot;
using engine::WindowStatus;

template <class F>
void each_slo(const Snapshot& snapshot, F f) {
  const auto& plans = snapshot.plan->slos;
  for (size_t i = 0; i < plans.size() && i < snapshot.slos.size(); ++i) f(plans[i], snapshot.slos[i]);
}

// The tiers' windows and the period, each once: a series may not appear twice.
template <class F>
void each_window(const SloStatus& slo, F f) {
  std::set<Duration> seen;
  for (const WindowStatus& window : slo.windows) {
    if (seen.insert(window.window).second) f(window);
  }
  if (seen.insert(slo.period.window).second) f(slo.period);
}

void collect_events(const Snapshot& snapshot, Families& families) {
  Family events = counter(families, "slosonde_sli_events_total", "Judged events of the SLI by result.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus& slo) {
    events.add({{"slo", plan.name}, {"result", "good"}}, static_cast<double>(slo.good_total));
    events.add({{"slo", plan.name}, {"result", "bad"}}, static_cast<double>(slo.bad_total));
  });
  Family unjudged = counter(families, "slosonde_sli_unjudged_total", "Slots that could not be judged, by reason.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus& slo) {
    const engine::UnjudgedCounts& counts = slo.unjudged_total;
    unjudged.add({{"slo", plan.name}, {"reason", "blind"}}, static_cast<double>(counts.blind));
    unjudged.add({{"slo", plan.name}, {"reason", "probe_fault"}}, static_cast<double>(counts.probe_fault));
    unjudged.add({{"slo", plan.name}, {"reason", "missed"}}, static_cast<double>(counts.missed));
    unjudged.add({{"slo", plan.name}, {"reason", "excluded"}}, static_cast<double>(counts.excluded));
  });
}

void collect_excluded(const Snapshot& snapshot, Families& families) {
  Family excluded =
      counter(families, "slosonde_sli_excluded_total", "Slots that an exclusion covers, by what they would have been.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus& slo) {
    const engine::UnjudgedCounts& counts = slo.unjudged_total;
    excluded.add({{"slo", plan.name}, {"result", "good"}}, static_cast<double>(counts.excluded_good));
    excluded.add({{"slo", plan.name}, {"result", "bad"}}, static_cast<double>(counts.excluded_bad));
    excluded.add({{"slo", plan.name}, {"result", "unjudged"}}, static_cast<double>(counts.excluded_unjudged()));
  });
}

void collect_objectives(const Snapshot& snapshot, Families& families) {
  Family objective = gauge(families, "slosonde_slo_objective_ratio", "The share of good events the SLO promises.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus&) {
    objective.add({{"slo", plan.name}}, static_cast<double>(plan.objective_ppb) / 1e9);
  });
  Family window = gauge(families, "slosonde_slo_window_seconds", "The SLO's period.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus&) {
    window.add({{"slo", plan.name}}, static_cast<double>(plan.window.count()) / 1e9);
  });
  Family budget = gauge(families, "slosonde_slo_error_budget_remaining_ratio",
                        "What is left of the error budget of the whole period; 0 is spent, below 0 overspent.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus& slo) {
    budget.add({{"slo", plan.name}}, slo.budget_remaining);
  });
  Family observed = gauge(families, "slosonde_slo_error_budget_remaining_observed_ratio",
                          "The same, of the events judged so far alone.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus& slo) {
    observed.add({{"slo", plan.name}}, slo.budget_remaining_observed);
  });
}

void collect_windows(const Snapshot& snapshot, Families& families) {
  Family burn = gauge(families, "slosonde_slo_burn_rate",
                      "Share of bad events over the share the objective allows; 1 spends the budget in the period.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus& slo) {
    each_window(slo, [&](const WindowStatus& window) {
      burn.add({{"slo", plan.name}, {"window", format_duration(window.window)}}, window.burn_rate);
    });
  });
  Family coverage = gauge(families, "slosonde_slo_coverage_ratio", "Share of decided slots that could be judged.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus& slo) {
    each_window(slo, [&](const WindowStatus& window) {
      coverage.add({{"slo", plan.name}, {"window", format_duration(window.window)}}, window.coverage);
    });
  });
}

}  // namespace

void collect_slos(const Snapshot& snapshot, Families& families) {
  collect_events(snapshot, families);
  collect_excluded(snapshot, families);
  collect_objectives(snapshot, families);
  collect_windows(snapshot, families);
  Family alerts = gauge(families, "slosonde_slo_alert_active", "Whether the alert of this tier is active: 0 or 1.");
  each_slo(snapshot, [&](const SloPlan& plan, const SloStatus& slo) {
    std::set<std::pair<std::string, std::string>> seen;
    for (const engine::AlertStatus& alert : slo.alerts) {
      if (!seen.insert({alert.severity, alert.tier}).second) continue;
      alerts.add({{"slo", plan.name}, {"severity", alert.severity}, {"tier", alert.tier}}, alert.active ? 1.0 : 0.0);
    }
  });
}

}  // namespace slosonde::exporter
