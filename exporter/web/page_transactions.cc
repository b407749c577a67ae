// The page's transactions, stage by stage.
#include <algorithm>
#include <optional>

#include "exporter/web/html.h"
#include "exporter/web/json_parts.h"
#include "exporter/web/page.h"

namespace slosonde::exporter {
namespace {

using engine::Bound;
using engine::StageStats;
using engine::StageVerdict;

constexpr Duration kShownWindow = std::chrono::hours(1);

std::optional<double> percentile(const StageStats& stats, double which, Bound bound) {
  for (const engine::Percentile& one : stats.percentiles) {
    if (one.window == kShownWindow && one.percentile == which && one.bound == bound) return one.seconds;
  }
  return {};
}

std::string shown_percentile(const StageStats& stats, double which) {
  const auto point = percentile(stats, which, Bound::point);
  if (!point) return "–";
  std::string text = shown_seconds(*point);
  const auto lower = percentile(stats, which, Bound::lower);
  const auto upper = percentile(stats, which, Bound::upper);
  std::string bounds;
  if (lower && upper) {
    bounds = shown_seconds(*lower) + " – " + shown_seconds(*upper);
  } else if (lower) {
    bounds = "at least " + shown_seconds(*lower);
  } else if (upper) {
    bounds = "at most " + shown_seconds(*upper);
  }
  if (!bounds.empty()) text += " <span class=\"bounds under\">" + bounds + "</span>";
  return text;
}

std::string count_cell(uint64_t count, bool is_bad) {
  const char* style = count == 0 ? " zero" : is_bad ? " hit" : "";
  return "<td class=\"n" + std::string(style) + "\">" + shown_count(count) + "</td>";
}

// Under the stage's name; nothing for a plain check.
std::string how(const engine::Plan& plan, const engine::StagePlan& stage) {
  std::string text;
  if (stage.mode == engine::StageMode::watched && stage.watch < plan.watches.size()) {
    text = "watches " + escaped(plan.watches[stage.watch].name);
  } else if (stage.mode == engine::StageMode::polled) {
    text = "polls every " + format_duration(stage.poll_every);
  }
  return text.empty() ? text : "<span class=\"bounds under\">" + text + "</span>";
}

void write_stage(const engine::Plan& plan, const engine::TransactionPlan& transaction, size_t index,
                 const StageStats& stats, std::string& out) {
  const engine::StagePlan& stage = transaction.stages[index];
  const auto count = [&](StageVerdict verdict) { return stats.verdicts[static_cast<size_t>(verdict)]; };
  out += "<tr><th scope=\"row\">" + escaped(stage.name) + how(plan, stage) + "</th><td class=\"n\">" +
         format_duration(stage.within);
  if (stage.from && *stage.from < transaction.stages.size()) {
    out += " <span class=\"bounds under\">after " + escaped(transaction.stages[*stage.from].name) + "</span>";
  }
  out += "</td>" + count_cell(count(StageVerdict::on_time), false) + count_cell(count(StageVerdict::late), true) +
         count_cell(count(StageVerdict::lost), true) + count_cell(count(StageVerdict::corrupt), true) +
         count_cell(count(StageVerdict::failed), true) + count_cell(count(StageVerdict::skipped), false) +
         count_cell(count(StageVerdict::unseen), false) + "<td class=\"n\">" + shown_percentile(stats, 0.5) +
         "</td><td class=\"n\">" + shown_percentile(stats, 0.95) + "</td></tr>\n";
}

std::string verdict_tag(const std::optional<engine::RunVerdict>& verdict) {
  if (!verdict) return tag("", "no run decided yet");
  const std::string text = "last run " + std::string(engine::name(*verdict));
  if (*verdict == engine::RunVerdict::good) return tag("good", text);
  return tag(*verdict == engine::RunVerdict::bad ? "bad" : "warn", text);
}

std::string schedule(const engine::Snapshot& snapshot, size_t index) {
  const engine::TransactionPlan& plan = snapshot.plan->transactions[index];
  const engine::TransactionStats& stats = snapshot.transactions[index];
  std::string text =
      plan.every > Duration::zero() ? "Every " + format_duration(plan.every) : std::string("Only when triggered");
  text += " · " + shown_count(stats.in_flight) + " in flight";
  for (int v = 0; v < engine::kRunVerdicts; ++v) {
    const uint64_t count = stats.verdicts[static_cast<size_t>(v)];
    const auto verdict = static_cast<engine::RunVerdict>(v);
    if (count == 0 && verdict != engine::RunVerdict::good && verdict != engine::RunVerdict::bad) continue;
    text += " · " + shown_count(count) + ' ';
    text += verdict == engine::RunVerdict::probe_fault ? "probe fault" : engine::name(verdict);
  }
  if (stats.last_bad) text += " · last bad " + time_ago(*stats.last_bad, snapshot.at, snapshot.wall_offset);
  return text;
}

void write_transaction(const engine::Snapshot& snapshot, size_t index, std::string& out) {
  const engine::TransactionPlan& plan = snapshot.plan->transactions[index];
  const engine::TransactionStats& stats = snapshot.transactions[index];
  out += "<article class=\"card wide\">\n<div class=\"row\"><h3>" + escaped(plan.name) + "</h3>" +
         verdict_tag(stats.last_verdict) + "</div>\n<p class=\"dim\">" + schedule(snapshot, index) +
         "</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Stages\"><table><thead><tr><th "
         "scope=\"col\">stage</th>"
         "<th scope=\"col\" class=\"n\">within</th><th scope=\"col\" class=\"n\">on time</th>"
         "<th scope=\"col\" class=\"n\">late</th><th scope=\"col\" class=\"n\">lost</th>"
         "<th scope=\"col\" class=\"n\">corrupt</th><th scope=\"col\" class=\"n\">failed</th>"
         "<th scope=\"col\" class=\"n\">skipped</th><th scope=\"col\" class=\"n\">unseen</th>"
         "<th scope=\"col\" class=\"n\">p50</th><th scope=\"col\" class=\"n\">p95</th></tr></thead><tbody>\n";
  for (size_t s = 0; s < plan.stages.size() && s < stats.stages.size(); ++s) {
    write_stage(*snapshot.plan, plan, s, stats.stages[s], out);
  }
  out += "</tbody></table></div>\n</article>\n";
}

}  // namespace

void write_transactions(const engine::Snapshot& snapshot, std::string& out) {
  out += "<section aria-labelledby=\"transactions\">\n<h2 id=\"transactions\">Transactions</h2>\n";
  const size_t count = std::min(snapshot.plan->transactions.size(), snapshot.transactions.size());
  for (size_t t = 0; t < count; ++t) write_transaction(snapshot, t, out);
  out +=
      "<p class=\"dim\">Counts since the start. Percentiles of the last hour from due to seen, with their one-sided "
      "95 % bounds; the bounds hold if runs are independent. ∞: it falls among lost runs.</p>\n</section>\n";
}

}  // namespace slosonde::exporter
