// The page's SLOs: a card each.
#include <algorithm>

#include "exporter/web/alerts.h"
#include "exporter/web/html.h"
#include "exporter/web/page.h"

namespace slosonde::exporter {
namespace {

using engine::SloPlan;
using engine::SloStatus;

// "alert-delivered: stage alert of log-to-alert, faster than 13s"
std::string subject(const engine::Plan& plan, const SloPlan& slo) {
  if (slo.transaction >= plan.transactions.size()) return {};
  const engine::TransactionPlan& transaction = plan.transactions[slo.transaction];
  std::string text = escaped(transaction.name);
  if (slo.stage && *slo.stage < transaction.stages.size()) {
    text = "Stage " + escaped(transaction.stages[*slo.stage].name) + " of " + text;
  } else {
    text = "Runs of " + text;
  }
  if (slo.faster_than) text += ", faster than " + format_duration(*slo.faster_than);
  return text;
}

void write_budget(const SloStatus& slo, std::string& out) {
  if (!slo.budget_remaining) {
    out += "<p class=\"figure\">– <small>no events judged yet</small></p>\n<div class=\"bar\"></div>\n";
    return;
  }
  const double left = *slo.budget_remaining;
  const char* style = left <= 0 ? "bar spent" : left < 0.25 ? "bar low" : "bar";
  // A spent budget is a full bar in red: nothing left to show, and much to see.
  const int width = left <= 0 ? 100 : std::max(1, static_cast<int>(std::min(left, 1.0) * 100));
  out += "<p class=\"figure\">" + shown_percent(left, 1) + " <small>of the error budget left</small></p>\n";
  out += "<div class=\"" + std::string(style) + "\" aria-hidden=\"true\"><i style=\"width:" + std::to_string(width) +
         "%\"></i></div>\n";
}

void write_window(const engine::WindowStatus& window, std::string& out) {
  out += "<tr><th scope=\"row\">" + format_duration(window.window) + "</th><td class=\"n\">" +
         (window.burn_rate ? shown_factor(*window.burn_rate) + " ×" : "–") + "</td><td class=\"n\">" +
         (window.coverage ? shown_percent(*window.coverage, 1) : "–") + "</td><td class=\"n\">" +
         shown_count(window.good) + "</td><td class=\"n" + (window.bad > 0 ? " hit" : " zero") + "\">" +
         shown_count(window.bad) + "</td></tr>\n";
}

void write_windows(const SloStatus& slo, std::string& out) {
  out +=
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Burn rates and counts by "
      "window\"><table><thead><tr><th scope=\"col\">window</th><th scope=\"col\" class=\"n\">burn</th>"
      "<th scope=\"col\" class=\"n\">coverage</th><th scope=\"col\" class=\"n\">good</th>"
      "<th scope=\"col\" class=\"n\">bad</th></tr></thead><tbody>\n";
  for (const engine::WindowStatus& window : slo.windows) write_window(window, out);
  const bool period_shown = std::any_of(slo.windows.begin(), slo.windows.end(),
                                        [&](const auto& window) { return window.window == slo.period.window; });
  if (!period_shown) write_window(slo.period, out);
  out += "</tbody></table></div>\n";
}

void write_alerts(const SloStatus& slo, const engine::Snapshot& snapshot, std::string& out) {
  std::string items;
  for (const engine::AlertStatus& alert : slo.alerts) {
    const auto waits = waits_for(slo, alert);
    if (!alert.active && !waits) continue;
    items += "<li>" + tag(alert.active ? "bad" : "warn", alert.severity);
    items += alert.factor > 0
                 ? " burning over " + shown_factor(alert.factor) + " × in " + format_duration(alert.long_window) +
                       " and " + format_duration(alert.short_window)
                 : " less than half of what was due in " + format_duration(alert.long_window) + " could be judged";
    if (waits)
      items += "; fires at " + shown_count(waits->needs) + " failures, has " + shown_count(waits->has);
    else if (alert.since)
      items += ", since " + time_ago(*alert.since, snapshot.at, snapshot.wall_offset);
    items += "</li>\n";
  }
  if (!items.empty()) out += "<ul class=\"alerts\">\n" + items + "</ul>\n";
}

std::string slo_tag(const SloStatus& slo) {
  const auto any = [&](const auto& is) { return std::any_of(slo.alerts.begin(), slo.alerts.end(), is); };
  if (any([](const auto& alert) { return alert.active; })) return tag("bad", "alert");
  if (any([&](const auto& alert) { return waits_for(slo, alert).has_value(); })) return tag("warn", "burning");
  if (!slo.budget_remaining) return tag("", "no data");
  if (*slo.budget_remaining <= 0) return tag("bad", "budget spent");
  return *slo.budget_remaining < 0.25 ? tag("warn", "budget low") : tag("good", "kept");
}

void write_slo(const engine::Snapshot& snapshot, size_t index, std::string& out) {
  const SloPlan& plan = snapshot.plan->slos[index];
  const SloStatus& slo = snapshot.slos[index];
  const engine::UnjudgedCounts& unjudged = slo.period.unjudged;
  out += "<article class=\"card\">\n<div class=\"row\"><h3>" + escaped(plan.name) + "</h3>" + slo_tag(slo) +
         "</div>\n<p class=\"dim\">" + subject(*snapshot.plan, plan) + ": " +
         shown_percent(static_cast<double>(plan.objective_ppb) / 1e9, 5) + " over " + format_duration(plan.window) +
         "</p>\n";
  write_budget(slo, out);
  write_windows(slo, out);
  write_alerts(slo, snapshot, out);
  std::string not_judged;
  const auto add = [&](uint64_t count, const char* what) {
    if (count > 0) not_judged += (not_judged.empty() ? "" : ", ") + shown_count(count) + ' ' + what;
  };
  add(unjudged.blind, "blind");
  add(unjudged.probe_fault, "probe fault");
  add(unjudged.missed, "missed");
  add(unjudged.excluded, "excluded");
  if (!not_judged.empty()) out += "<p class=\"dim\">Not judged: " + not_judged + "</p>\n";
  if (unjudged.excluded > 0 && slo.period.good_share_with_excluded) {
    out += "<p class=\"dim\">Good: " +
           (slo.period.good_share ? shown_percent(*slo.period.good_share, 3) : std::string("–")) + ", and " +
           shown_percent(*slo.period.good_share_with_excluded, 3) + " with what was excluded</p>\n";
  }
  out += "</article>\n";
}

}  // namespace

void write_slos(const engine::Snapshot& snapshot, std::string& out) {
  const size_t count = std::min(snapshot.plan->slos.size(), snapshot.slos.size());
  out += "<section aria-labelledby=\"slos\">\n<h2 id=\"slos\">Service level objectives</h2>\n";
  if (count == 0) {
    out += "<p class=\"empty\">The configuration has none.</p>\n</section>\n";
    return;
  }
  out += "<div class=\"cards\">\n";
  for (size_t i = 0; i < count; ++i) write_slo(snapshot, i, out);
  out += "</div>\n</section>\n";
}

}  // namespace slosonde::exporter
