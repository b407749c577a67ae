#include "exporter/web/views.h"

#include <array>
#include <charconv>
#include <utility>

#include "exporter/gzip.h"
#include "exporter/text.h"
#include "exporter/web/api.h"
#include "exporter/web/page.h"
#include "exporter/web/problem.h"
#include "exporter/web/quote.h"

namespace slosonde::exporter {
namespace {

constexpr std::string_view kApi = "/api/v1/";
constexpr std::string_view kRun = "runs/";
constexpr std::array<std::string_view, 6> kResources = {"status", "slos",   "transactions",
                                                        "runs",   "config", "exclusions"};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The weight of one entry of Accept-Encoding: "gzip;q=0.5".
double weight(std::string_view entry) {
  const size_t q = entry.find("q=");
  if (q == std::string_view::npos) return 1;
  double value = 0;
  std::from_chars(entry.data() + q + 2, entry.data() + entry.size(), value);
  return value;
}

MetricsSources metrics_sources(const WebOptions& options, const WebSources& sources,
                               const prometheus::Collectable& counters) {
  return {sources.snapshot, &sources.inbox, &counters, options.version, sources.now()};
}

Response plain_or_problem(bool fine, std::string_view text, const std::vector<std::string>& why) {
  if (fine) return text_answer(std::string(text) + "\n");
  std::string all;
  for (const std::string& one : why) all.append(all.empty() ? "" : " ").append(one);
  Response response = problem(503, all);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

bool accepts_gzip(const RequestHead& head) {
  const std::string* header = head.header("accept-encoding");
  if (!header) return false;
  std::optional<double> gzip_weight;
  double any_weight = 0;
  std::string_view rest = *header;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(','), rest.size());
    const std::string_view entry = trimmed(rest.substr(0, end));
    const std::string_view coding = trimmed(entry.substr(0, std::min(entry.find(';'), entry.size())));
    if (coding == "gzip" || coding == "x-gzip") gzip_weight = weight(entry);
    if (coding == "*") any_weight = weight(entry);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return gzip_weight.value_or(any_weight) > 0;
}

Views::Views(const WebOptions& options, const WebSources& sources, const WebHooks& hooks, const Trouble& trouble,
             const prometheus::Collectable& counters)
    : options_(options),
      sources_(sources),
      hooks_(hooks),
      trouble_(trouble),
      metrics_(metrics_sources(options, sources, counters)) {}

bool Views::serves(std::string_view path) {
  return path == "/" || path == "/metrics" || path == "/-/healthy" || path == "/-/ready" || path.starts_with(kApi);
}

std::optional<Response> Views::answer(const RequestHead& head) {
  if (head.path == "/metrics") return metrics(head);
  if (head.path == "/-/healthy") return healthy();
  if (head.path == "/-/ready") return ready();
  if (head.path == "/") return page(head);
  if (head.path.starts_with(kApi)) return api(std::string_view(head.path).substr(kApi.size()), head);
  return {};
}

Response Views::metrics(const RequestHead& head) {
  text_.clear();
  write_text(metrics_.Collect(), text_);
  Response response{
      200, std::string(kTextContentType), {}, {{"Cache-Control", "no-store"}, {"Vary", "Accept-Encoding"}}};
  if (accepts_gzip(head)) {
    if (auto packed = gzip(text_)) {
      response.body = std::move(*packed);
      response.headers.emplace_back("Content-Encoding", "gzip");
      return response;
    }
  }
  response.body = text_;
  return response;
}

Response Views::healthy() const {
  const auto snapshot = sources_.snapshot();
  Health health = health_of(snapshot.get(), sources_.now());
  if (health.why.size() > 1 && snapshot) health.why.resize(1);  // the rest is about readiness
  return plain_or_problem(health.healthy, "ok", health.why);
}

Response Views::ready() const {
  const auto snapshot = sources_.snapshot();
  const Health health = health_of(snapshot.get(), sources_.now());
  return plain_or_problem(health.ready, "ready", health.why);
}

Response Views::page(const RequestHead& head) const {
  const auto snapshot = sources_.snapshot();
  const bool refresh = query_parameter(head.query, "refresh") != "off";
  Response response{200, "text/html; charset=utf-8", {}, {{"Cache-Control", "no-store"}}};
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
                                "form-action 'none'; frame-ancestors 'none'");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.body = status_page(snapshot.get(), hooks(), sources_.now(), options_.version, refresh);
  return response;
}

Response Views::api(std::string_view resource, const RequestHead& head) const {
  if (resource == "config") {
    const auto now = sources_.snapshot();
    const bool reloaded = now && now->config && now->config->shown;
    const std::string& shown = reloaded ? *now->config->shown : options_.config_shown;
    return {200, "application/json", shown + "\n", {{"Cache-Control", "no-store"}}};
  }
  const bool is_run = resource.starts_with(kRun);
  if (!is_run && std::find(kResources.begin(), kResources.end(), resource) == kResources.end()) {
    return problem(404, "There is no " + quote(head.path) +
                            "; /api/v1/ has status, slos, transactions, runs, runs/<id>, exclusions and config.");
  }
  const auto snapshot = sources_.snapshot();
  if (!snapshot) return problem(503, "The engine has not started yet; ask again in a moment.");
  if (is_run) return run_answer(*snapshot, resource.substr(kRun.size()));
  if (resource == "runs") return runs_answer(*snapshot, head.query);
  if (resource == "slos") return json_answer(slos_view(*snapshot));
  if (resource == "exclusions") return json_answer(exclusions_view(*snapshot));
  if (resource == "transactions") return json_answer(transactions_view(*snapshot));
  return json_answer(status_view(*snapshot, sources_.now(), options_.version, hooks()));
}

HooksView Views::hooks() const {
  return {hooks_.url(), hooks_.listening_since(), trouble_.refused(), hooks_.way_in_trouble()};
}

}  // namespace slosonde::exporter
