// The page's last runs and watches.
#include <algorithm>

#include "exporter/web/api.h"
#include "exporter/web/html.h"
#include "exporter/web/page.h"
#include "exporter/web/quote.h"

namespace slosonde::exporter {
namespace {

constexpr size_t kShownRuns = 30;

std::string run_tag(const engine::RunRecord& run) {
  if (!run.verdict) return tag("", "in flight");
  const std::string_view text = engine::name(*run.verdict);
  if (*run.verdict == engine::RunVerdict::good) return tag("good", text);
  return tag(*run.verdict == engine::RunVerdict::bad ? "bad" : "warn", text);
}

// "ingest 12 ms" or "alert lost: …"
std::string step(const engine::StagePlan& plan, const engine::StageRecord& record) {
  const bool bad = record.bad || (record.verdict && *record.verdict != engine::StageVerdict::on_time &&
                                  *record.verdict != engine::StageVerdict::skipped);
  std::string text = bad ? "<span class=\"b\">" : "<span>";
  text += escaped(plan.name) + ' ';
  if (record.verdict && *record.verdict != engine::StageVerdict::on_time) {
    text += engine::name(*record.verdict);
    if (record.latency) text += ' ' + shown_seconds(seconds(*record.latency));
  } else if (record.latency) {
    text += shown_seconds(seconds(*record.latency));
  } else if (record.verdict) {
    text += "none";  // as is expected
  } else {
    text += bad ? "overdue" : record.waits_for_sight ? "not seen yet" : "…";
  }
  return text + "</span>";
}

std::string first_error(const engine::RunRecord& run) {
  for (const engine::StageRecord& record : run.stages) {
    if (record.error && (record.bad || record.verdict == engine::StageVerdict::failed)) {
      return " <span class=\"bounds\">" + escaped(as_utf8(record.error.text)) + "</span>";
    }
  }
  return {};
}

void write_run(const engine::Snapshot& snapshot, const engine::RunRecord& run, std::string& out) {
  const engine::TransactionPlan& plan = snapshot.plan->transactions[run.id.transaction];
  out += "<tr><td>" + time_ago(run.due, snapshot.at, snapshot.wall_offset) + "</td><td>" + escaped(plan.name);
  if (run.origin == engine::Origin::triggered) out += " <span class=\"bounds\">triggered</span>";
  out += "</td><td>" + run_tag(run) + "</td><td class=\"long steps\">";
  for (size_t s = 0; s < plan.stages.size() && s < run.stages.size(); ++s) {
    if (s > 0) out += " → ";
    out += step(plan.stages[s], run.stages[s]);
  }
  out += first_error(run) + "</td><td><a href=\"/api/v1/runs/" + escaped(run.marker) + "\"><code>" +
         escaped(run.marker) + "</code></a></td></tr>\n";
}

std::string state_tag(engine::WatchState state) {
  switch (state) {
    case engine::WatchState::in_sight:
      return tag("good", "in sight");
    case engine::WatchState::out_of_sight:
      return tag("bad", "out of sight");
    case engine::WatchState::starting:
      break;
  }
  return tag("warn", "starting");
}

}  // namespace

void write_runs(const engine::Snapshot& snapshot, std::string& out) {
  out += "<section aria-labelledby=\"runs\">\n<h2 id=\"runs\">Last runs</h2>\n";
  if (snapshot.runs.empty()) {
    out += "<p class=\"empty\">None yet.</p>\n</section>\n";
    return;
  }
  out +=
      "<div class=\"card scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"runs\"><table><thead><tr><th "
      "scope=\"col\">due</th><th scope=\"col\">transaction</th>"
      "<th scope=\"col\">verdict</th><th scope=\"col\">stages</th><th scope=\"col\">run</th></tr></thead><tbody>\n";
  for (const engine::RunRecord* run : newest_runs(snapshot, kShownRuns)) write_run(snapshot, *run, out);
  out += "</tbody></table></div>\n</section>\n";
}

void write_watches(const engine::Snapshot& snapshot, std::string& out) {
  const size_t count = std::min(snapshot.plan->watches.size(), snapshot.watches.size());
  if (count == 0) return;
  out +=
      "<section aria-labelledby=\"watches\">\n<h2 id=\"watches\">Watches</h2>\n<div class=\"card scroll\" "
      "tabindex=\"0\" role=\"region\" aria-labelledby=\"watches\"><table>"
      "<thead><tr><th scope=\"col\">watch</th><th scope=\"col\">sight</th><th scope=\"col\">covered to</th>"
      "<th scope=\"col\">what is wrong</th></tr></thead><tbody>\n";
  for (size_t i = 0; i < count; ++i) {
    const engine::WatchStatus& watch = snapshot.watches[i];
    out += "<tr><th scope=\"row\">" + escaped(snapshot.plan->watches[i].name) + "</th><td>" + state_tag(watch.state) +
           "</td><td>" +
           (watch.covered_to ? time_ago(*watch.covered_to, snapshot.at, snapshot.wall_offset) : std::string("–")) +
           "</td><td class=\"long\">" + (watch.error ? escaped(as_utf8(watch.error.text)) : std::string("–")) +
           "</td></tr>\n";
  }
  out += "</tbody></table></div>\n</section>\n";
}

}  // namespace slosonde::exporter
