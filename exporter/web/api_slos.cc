// /api/v1/slos
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "exporter/web/alerts.h"
#include "exporter/web/api.h"
#include "exporter/web/json_parts.h"

namespace slosonde::exporter {

namespace json = boost::json;

namespace {

json::object unjudged_view(const engine::UnjudgedCounts& counts) {
  return {{"blind", counts.blind},
          {"probe_fault", counts.probe_fault},
          {"missed", counts.missed},
          {"excluded", counts.excluded}};
}

json::object excluded_view(const engine::UnjudgedCounts& counts) {
  return {{"good", counts.excluded_good}, {"bad", counts.excluded_bad}, {"unjudged", counts.excluded_unjudged()}};
}

json::value bad_in(const engine::SloStatus& slo, Duration window) {
  const engine::WindowStatus* found = window_of(slo, window);
  return found == nullptr ? json::value(nullptr) : json::value(found->bad);
}

json::object slo_view(const engine::SloPlan& plan, const engine::SloStatus& slo, Duration wall) {
  json::object burn_rates;
  for (const engine::WindowStatus& window : slo.windows) {
    burn_rates[format_duration(window.window)] = json_number(window.burn_rate);
  }
  burn_rates.emplace(format_duration(slo.period.window), json_number(slo.period.burn_rate));
  json::object coverages;
  for (const engine::WindowStatus& window : slo.windows) {
    coverages[format_duration(window.window)] = json_number(window.coverage);
  }
  coverages.emplace(format_duration(slo.period.window), json_number(slo.period.coverage));
  json::array alerts;
  for (const engine::AlertStatus& alert : slo.alerts) {
    alerts.push_back(json::object{{"tier", alert.tier},
                                  {"kind", alert.factor > 0 ? "burn" : "coverage"},
                                  {"severity", alert.severity},
                                  {"factor", alert.factor},
                                  {"long_window_seconds", exact_seconds(alert.long_window)},
                                  {"short_window_seconds", exact_seconds(alert.short_window)},
                                  {"min_bad", plan.min_bad},
                                  {"fires_at", alert.fires_at},
                                  {"bad", bad_in(slo, alert.long_window)},
                                  {"active", alert.active},
                                  {"waits_for_min_bad", waits_for(slo, alert).has_value()},
                                  {"since", json_time(alert.since, wall)}});
  }
  return {{"name", json_text(plan.name)},
          {"objective", static_cast<double>(plan.objective_ppb) / 1e9},
          {"window_seconds", exact_seconds(plan.window)},
          {"good", slo.period.good},
          {"bad", slo.period.bad},
          {"unjudged", unjudged_view(slo.period.unjudged)},
          {"excluded", excluded_view(slo.period.unjudged)},
          {"sli", json_number(slo.period.good_share)},
          {"sli_with_excluded", json_number(slo.period.good_share_with_excluded)},
          {"coverage", json_number(slo.period.coverage)},
          {"coverages", coverages},
          {"budget_remaining", json_number(slo.budget_remaining)},
          {"burn_rates", burn_rates},
          {"alerts", alerts},
          {"since", json_time(slo.since, wall)}};
}

}  // namespace

json::value slos_view(const engine::Snapshot& snapshot) {
  json::array slos;
  for (size_t i = 0; i < snapshot.slos.size() && i < snapshot.plan->slos.size(); ++i) {
    slos.push_back(slo_view(snapshot.plan->slos[i], snapshot.slos[i], snapshot.wall_offset));
  }
  return json::object{{"slos", slos}};
}

}  // namespace slosonde::exporter
