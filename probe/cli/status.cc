#include <boost/json/object.hpp>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "exporter/web/html.h"
#include "exporter/web/json_parts.h"
#include "probe/cli/client.h"
#include "probe/cli/commands.h"
#include "probe/cli/exit.h"
#include "probe/cli/json_read.h"
#include "probe/cli/table.h"

namespace slosonde::cli {

namespace {

namespace json = boost::json;

int complain(const std::string& text, int code) {
  std::cerr << "slosonde status: " << text << '\n';
  return code;
}

struct Views {
  json::value status, slos, transactions;
};

Result<Views> ask(const ProbeClient& client) {
  Views views;
  const std::pair<const char*, json::value*> all[] = {
      {"/api/v1/status", &views.status}, {"/api/v1/slos", &views.slos}, {"/api/v1/transactions", &views.transactions}};
  for (const auto& [path, to] : all) {
    auto answer = client.get(path);
    if (!answer) return fail(answer.error());
    if (answer->status != 200) return fail(ErrorCode::wrong_status, client.shown() + path + ": " + answer->problem);
    const bool of_a_probe = to != &views.status || !text_of(answer->body, "probe").empty();
    if (!answer->body.is_object() || !of_a_probe)
      return fail(ErrorCode::malformed, client.shown() + " answers, but is no slosonde: " + path +
                                            " gives nothing that a probe would say; its address is that of `listen`");
    *to = std::move(answer->body);
  }
  return views;
}

uint64_t count_of(const json::value& in, std::string_view key) {
  return static_cast<uint64_t>(number_of(in, key).value_or(0));
}

std::string share_or_none(const std::optional<double>& share) {
  return share ? shown_share(*share) : "-";
}

// "5m 0, 1h 1.2, 30d 0.3": shortest window first, as the probe gives them.
std::string burns_of(const json::value& slo) {
  const auto* rates = find(slo, "burn_rates");
  if (rates == nullptr || !rates->is_object()) return "-";
  std::string text;
  for (const auto& pair : rates->get_object()) {
    const auto rate = number_of(*rates, pair.key());
    text += (text.empty() ? "" : ", ") + std::string(pair.key()) + " " + (rate ? exporter::shown_factor(*rate) : "-");
  }
  return text.empty() ? "-" : text;
}

// Of the whole period, and where it is less in one of the shorter windows, of that.
std::string coverage_of(const json::value& slo) {
  const auto whole = number_of(slo, "coverage");
  std::string text = share_or_none(whole);
  const auto* all = find(slo, "coverages");
  if (!whole || all == nullptr || !all->is_object()) return text;
  std::optional<double> least;
  std::string window;
  for (const auto& pair : all->get_object()) {
    const auto share = number_of(*all, pair.key());
    if (!share || *share >= least.value_or(*whole)) continue;
    least = share;
    window = pair.key();
  }
  return least ? text + " (" + window + " " + shown_share(*least) + ")" : text;
}

Cell alerts_of(const json::value& slo) {
  std::string firing, waiting;
  for (const json::value& alert : list_of(slo, "alerts")) {
    const std::string tier = text_of(alert, "severity") + " " + text_of(alert, "tier");
    if (flag_of(alert, "active")) firing += (firing.empty() ? "" : ", ") + tier;
    if (flag_of(alert, "waits_for_min_bad"))
      waiting += (waiting.empty() ? "" : ", ") + tier + " fires at " + std::to_string(count_of(alert, "fires_at")) +
                 " failures, has " + std::to_string(count_of(alert, "bad"));
  }
  if (!firing.empty()) return {firing, Tone::bad};
  return waiting.empty() ? Cell{"none", Tone::good} : Cell{"none; " + waiting, Tone::warning};
}

Cell budget_of(const json::value& slo) {
  const auto left = number_of(slo, "budget_remaining");
  const Tone tone = !left ? Tone::faint : *left <= 0 ? Tone::bad : *left < 0.25 ? Tone::warning : Tone::good;
  return {share_or_none(left), tone};
}

// What was not judged, each with its reason: never to be mistaken for good.
std::string unjudged_of(const json::value& slo) {
  const auto* counts = find(slo, "unjudged");
  std::string text;
  for (const char* reason : {"blind", "probe_fault", "missed", "excluded"}) {
    const uint64_t n = counts != nullptr ? count_of(*counts, reason) : 0;
    if (n > 0) text += (text.empty() ? "" : ", ") + std::to_string(n) + " " + reason;
  }
  return text.empty() ? "-" : text;
}

// Two tables count different things; each says which.
void print_caption(const std::string& text, bool colour) {
  std::cout << toned(text, Tone::faint, colour) << '\n';
}

void print_slos(const json::value& slos, bool colour) {
  if (list_of(slos, "slos").empty()) return;
  print_caption("in the window of each SLO, earlier processes included where they left a state file", colour);
  Table table({"SLO", "objective", "good", "bad", "not judged", "coverage", "budget left", "firing", "burn rates"},
              {1, 2, 3, 5, 6});
  for (const json::value& slo : list_of(slos, "slos")) {
    table.add({{text_of(slo, "name")},
               {share_or_none(number_of(slo, "objective"))},
               {std::to_string(count_of(slo, "good"))},
               {std::to_string(count_of(slo, "bad"))},
               {unjudged_of(slo)},
               {coverage_of(slo)},
               budget_of(slo),
               alerts_of(slo),
               {burns_of(slo)}});
  }
  table.print(std::cout, colour);
  std::cout << '\n';
}

void print_transactions(const json::value& transactions, const std::string& since, bool colour) {
  print_caption("since this process began, " + since, colour);
  Table table(
      {"transaction", "every", "last", "good", "bad", "blind", "probe_fault", "missed", "excluded", "in flight"},
      {1, 3, 4, 5, 6, 7, 8, 9});
  for (const json::value& one : list_of(transactions, "transactions")) {
    const json::value none;
    const auto* found = find(one, "verdicts");
    const json::value& verdicts = found != nullptr ? *found : none;
    const std::string last = text_of(one, "last_verdict");
    const Tone tone = last == "good" ? Tone::good : last == "bad" ? Tone::bad : Tone::warning;
    const bool suspended = !text_of(one, "suspended_since").empty();
    std::vector<Cell> row{suspended ? Cell{text_of(one, "name") + " SUSPENDED", Tone::bad} : Cell{text_of(one, "name")},
                          {shown_setting(number_of(one, "every_seconds").value_or(0))},
                          {last.empty() ? "-" : last, tone}};
    for (const char* verdict : {"good", "bad", "blind", "probe_fault", "missed", "excluded"}) {
      row.push_back({std::to_string(count_of(verdicts, verdict))});
    }
    row.push_back({std::to_string(count_of(one, "in_flight"))});
    table.add(std::move(row));
  }
  table.print(std::cout, colour);
}

void print_head(const json::value& status, bool colour) {
  const bool ready = flag_of(status, "ready");
  std::cout << text_of(status, "probe");
  for (const char* place : {"region", "zone"}) {
    if (const std::string text = text_of(status, place); !text.empty()) std::cout << ' ' << text;
  }
  std::cout << ": " << toned(ready ? "ready" : "not ready", ready ? Tone::good : Tone::bad, colour) << ", since "
            << text_of(status, "started") << '\n';
  for (const json::value& why : list_of(status, "why")) {
    if (why.is_string()) std::cout << "  " << std::string(why.get_string()) << '\n';
  }
  for (const json::value& watch : list_of(status, "watches")) {
    if (text_of(watch, "state") != "out_of_sight") continue;
    const auto* error = find(watch, "error");
    std::cout << "  " << toned("out of sight:", Tone::bad, colour) << ' ' << text_of(watch, "name")
              << (error != nullptr ? ", " + text_of(*error, "text") : "") << '\n';
  }
  std::cout << '\n';
}

}  // namespace

int status(const StatusOptions& options) {
  const auto client = ProbeClient::make(options.probe);
  if (!client) return complain(client.error().text, kBadConfig);
  auto views = ask(*client);
  if (!views) return complain(views.error().text, kInconclusive);
  if (options.json) {
    json::object all;
    all["status"] = std::move(views->status);
    all["slos"] = list_of(views->slos, "slos");
    all["transactions"] = list_of(views->transactions, "transactions");
    std::cout << exporter::json_written(all) << '\n';
    return kGood;
  }
  const bool colour = wants_colour();
  print_head(views->status, colour);
  print_slos(views->slos, colour);
  print_transactions(views->transactions, text_of(views->status, "started"), colour);
  return kGood;
}

}  // namespace slosonde::cli
