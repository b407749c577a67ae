#include "exporter/web/page.h"

#include <algorithm>

#include "exporter/web/api.h"
#include "exporter/web/html.h"
#include "exporter/web/page_style.h"
#include "exporter/web/quote.h"

namespace slosonde::exporter {
namespace {

void write_head(const engine::Snapshot* snapshot, bool refresh, std::string& out) {
  out +=
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n";
  if (refresh) out += "<meta http-equiv=\"refresh\" content=\"10\">\n";
  out += "<link rel=\"icon\" href=\"data:,\">\n<title>";
  if (snapshot) out += escaped(snapshot->plan->probe) + " · ";
  out += "slosonde</title>\n<style>";
  out += kPageStyle;
  out += "</style>\n</head>\n";
}

std::string place(const engine::Plan& plan) {
  std::string text = "<strong>" + escaped(plan.probe) + "</strong>";
  if (!plan.zone.empty()) text += " in zone " + escaped(plan.zone);
  if (!plan.region.empty()) text += (plan.zone.empty() ? " in region " : ", region ") + escaped(plan.region);
  return text;
}

// What matters most, in one tag: a stuck engine before a firing alert before all is well.
std::string overall(const engine::Snapshot* snapshot, const Health& health) {
  if (!snapshot) return tag("warn", "starting");
  if (!health.healthy) return tag("bad", "engine stuck");
  size_t firing = 0;
  for (const auto& slo : snapshot->slos) {
    for (const auto& alert : slo.alerts) firing += alert.active ? 1 : 0;
  }
  if (firing > 0) return tag("bad", std::to_string(firing) + (firing == 1 ? " alert active" : " alerts active"));
  if (snapshot->draining) return tag("warn", "stopping");
  const auto suspended = [](const auto& one) { return one.suspended_since.has_value(); };
  if (std::any_of(snapshot->transactions.begin(), snapshot->transactions.end(), suspended)) {
    return tag("warn", "suspended");
  }
  if (!health.ready) return tag("warn", "not ready");
  const auto active = [](const auto& one) { return one.active; };
  if (std::any_of(snapshot->exclusions.begin(), snapshot->exclusions.end(), active)) return tag("warn", "excluded");
  return tag("good", "running");
}

void write_header(const engine::Snapshot* snapshot, const Health& health, std::string& out) {
  out += "<header>\n<div class=\"title\"><h1>slosonde</h1> " + overall(snapshot, health) + "</div>\n<p>";
  if (snapshot) out += place(*snapshot->plan);
  out += "</p>\n</header>\n";
  if (health.why.empty()) return;
  out += "<ul class=\"why\" role=\"status\">\n";
  for (const std::string& one : health.why) out += "<li>" + escaped(as_utf8(one)) + "</li>\n";
  out += "</ul>\n";
}

void write_footer(const engine::Snapshot* snapshot, Instant now, std::string_view version, bool refresh,
                  std::string& out) {
  out += "<footer>\n<p>";
  if (snapshot) {
    out += "As of " + escaped(format_utc(snapshot->at + snapshot->wall_offset)) + ", started " +
           time_ago(snapshot->started, now, snapshot->wall_offset) + ". ";
  }
  out += refresh ? "Renewed every 10 s (<a href=\"/?refresh=off\">stop</a>)." : "<a href=\"/\">Renew every 10 s</a>.";
  out += "</p>\n<p>slosonde " + escaped(version) +
         " · <a href=\"/metrics\">metrics</a> · <a href=\"/api/v1/status\">status</a> · <a href=\"/api/v1/slos\">SLOs"
         "</a> · <a href=\"/api/v1/transactions\">transactions</a> · <a href=\"/api/v1/runs\">runs</a> · "
         "<a href=\"/api/v1/config\">configuration</a></p>\n</footer>\n";
}

}  // namespace

std::string status_page(const engine::Snapshot* snapshot, const HooksView& hooks, Instant now, std::string_view version,
                        bool refresh) {
  Health health = health_of(snapshot, now);
  if (snapshot) {
    for (std::string& one : concerns_of(*snapshot, hooks, now)) health.why.push_back(std::move(one));
  }
  std::string out;
  out.reserve(32 * 1024);
  write_head(snapshot, refresh, out);
  out += "<body>\n";
  write_header(snapshot, health, out);
  out += "<main>\n";
  if (snapshot) {
    write_slos(*snapshot, out);
    write_exclusions(*snapshot, out);
    write_transactions(*snapshot, out);
    write_runs(*snapshot, out);
    write_watches(*snapshot, out);
  }
  out += "</main>\n";
  write_footer(snapshot, now, version, refresh, out);
  out += "</body>\n</html>\n";
  return out;
}

}  // namespace slosonde::exporter
