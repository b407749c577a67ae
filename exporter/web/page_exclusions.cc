// The page's declared maintenance windows: those that are now, and those to come.
#include "exporter/web/html.h"
#include "exporter/web/page.h"

namespace slosonde::exporter {
namespace {

std::string covered(const engine::ExclusionStatus& exclusion) {
  if (exclusion.transactions.empty()) return "all transactions";
  std::string text;
  for (const std::string& one : exclusion.transactions) text += (text.empty() ? "" : ", ") + escaped(one);
  return text;
}

}  // namespace

void write_exclusions(const engine::Snapshot& snapshot, std::string& out) {
  std::string rows;
  for (const engine::ExclusionStatus& one : snapshot.exclusions) {
    if (!one.next) continue;
    rows += "<tr><th scope=\"row\">" + escaped(one.name) + "</th><td>" +
            (one.active ? tag("warn", "active") : tag("", "to come")) + "</td><td>" + covered(one) + "</td><td>" +
            escaped(format_utc(one.next->from)) + "</td><td>" + escaped(format_utc(one.next->to)) + "</td></tr>\n";
  }
  if (rows.empty()) return;
  out +=
      "<section aria-labelledby=\"exclusions\">\n<h2 id=\"exclusions\">Exclusions</h2>\n<p class=\"dim\">What they "
      "cover is run and shown, and counts in no SLI and not in coverage.</p>\n<div class=\"scroll\" tabindex=\"0\" "
      "role=\"region\" aria-labelledby=\"exclusions\"><table><thead><tr><th scope=\"col\">name</th><th "
      "scope=\"col\"></th><th scope=\"col\">covers</th><th scope=\"col\">from</th><th "
      "scope=\"col\">to</th></tr></thead>"
      "<tbody>\n" +
      rows + "</tbody></table></div>\n</section>\n";
}

}  // namespace slosonde::exporter
