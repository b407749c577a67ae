// /api/v1/runs and /api/v1/runs/<id>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "exporter/web/api.h"
#include "exporter/web/json_parts.h"
#include "exporter/web/problem.h"
#include "exporter/web/quote.h"

namespace slosonde::exporter {

namespace json = boost::json;

namespace {

json::object phases_view(const checks::Phases& phases) {
  json::object view;
  for (int i = 0; i < checks::kPhases; ++i) {
    const auto& took = phases[static_cast<size_t>(i)];
    if (took) view[checks::name(static_cast<checks::Phase>(i))] = exact_seconds(*took);
  }
  return view;
}

// What is known of the thing a step has sent; null for one that sends nothing, or has not answered.
json::value delivery_view(checks::Delivery delivery) {
  switch (delivery) {
    case checks::Delivery::acked:
      return "acked";
    case checks::Delivery::refused:
      return "refused";
    case checks::Delivery::unknown:
      return "unknown";
    case checks::Delivery::none:
      break;
  }
  return nullptr;
}

json::object step_view(const engine::StagePlan& plan, const engine::StageRecord& step, Duration wall) {
  json::object view{{"name", json_text(plan.name)},
                    {"mode", mode_name(plan.mode)},
                    {"within_seconds", exact_seconds(plan.within)},
                    {"verdict", nullptr},
                    {"would_be", nullptr},
                    {"judged", step.bad ? json::value("bad") : json::value(nullptr)},
                    {"bad", step.bad},
                    {"waits_for_sight", step.waits_for_sight},
                    {"started", json_time(step.started, wall)},
                    {"seen", nullptr},
                    {"latency_seconds", json_seconds(step.latency)},
                    {"hop_seconds", json_seconds(step.hop)},
                    {"decided", json_time(step.decided, wall)},
                    {"attempts", step.attempts},
                    {"delivery", delivery_view(step.delivery)},
                    {"phases", phases_view(step.phases)},
                    {"error", json_error(step.error)}};
  if (step.verdict) view["verdict"] = engine::name(*step.verdict);
  if (step.verdict == engine::StageVerdict::on_time) view["judged"] = "good";
  if (step.seen_hi) {
    view["seen"] = json::object{{"from", json_time(step.seen_lo, wall)}, {"to", json_time(step.seen_hi, wall)}};
  }
  return view;
}

json::array steps_view(const std::vector<engine::StagePlan>& plans, const std::vector<engine::StageRecord>& steps,
                       Duration wall) {
  json::array view;
  for (size_t i = 0; i < plans.size() && i < steps.size(); ++i) view.push_back(step_view(plans[i], steps[i], wall));
  return view;
}

// 00-<trace id>-<span id>-01 (W3C Trace Context)
std::string_view trace_id(std::string_view traceparent) {
  return traceparent.size() >= 35 ? traceparent.substr(3, 32) : std::string_view();
}

struct RunFilter {
  std::optional<std::string> transaction, verdict;
  size_t limit = 50;
};

constexpr size_t kMostRuns = 1000;

Result<RunFilter> parse_filter(std::string_view query) {
  RunFilter filter;
  filter.transaction = query_parameter(query, "transaction");
  filter.verdict = query_parameter(query, "verdict");
  if (filter.verdict) {
    bool known = false;
    for (int v = 0; v < engine::kRunVerdicts; ++v) {
      known = known || engine::name(static_cast<engine::RunVerdict>(v)) == *filter.verdict;
    }
    if (!known) {
      return fail(ErrorCode::malformed, "There is no run verdict " + quote(*filter.verdict) +
                                            "; verdicts are good, bad, blind, probe_fault, missed and excluded.");
    }
  }
  if (const auto limit = query_parameter(query, "limit")) {
    const char* end = limit->data() + limit->size();
    const auto parsed = std::from_chars(limit->data(), end, filter.limit);
    if (parsed.ec != std::errc() || parsed.ptr != end || filter.limit < 1 || filter.limit > kMostRuns) {
      return fail(ErrorCode::malformed, "limit is a number from 1 to 1000, not " + quote(*limit) + ".");
    }
  }
  return filter;
}

bool passes(const engine::Snapshot& snapshot, const engine::RunRecord& run, const RunFilter& filter) {
  if (filter.transaction && snapshot.plan->transactions[run.id.transaction].name != *filter.transaction) return false;
  return !filter.verdict || (run.verdict && engine::name(*run.verdict) == *filter.verdict);
}

}  // namespace

std::vector<const engine::RunRecord*> newest_runs(const engine::Snapshot& snapshot, size_t most,
                                                  const std::function<bool(const engine::RunRecord&)>& wanted) {
  std::vector<const engine::RunRecord*> runs;
  for (const auto& run : snapshot.runs) {
    if (run->id.transaction < snapshot.plan->transactions.size() && (!wanted || wanted(*run))) {
      runs.push_back(run.get());
    }
  }
  const auto end = runs.begin() + static_cast<std::ptrdiff_t>(std::min(most, runs.size()));
  std::partial_sort(runs.begin(), end, runs.end(),
                    [](const auto* a, const auto* b) { return a->due != b->due ? a->due > b->due : a->id > b->id; });
  runs.erase(end, runs.end());
  return runs;
}

json::value run_view(const engine::Snapshot& snapshot, const engine::RunRecord& run) {
  const engine::TransactionPlan& plan = snapshot.plan->transactions[run.id.transaction];
  const Duration wall = snapshot.wall_offset;
  json::array captures;
  for (const auto& [capture, value] : run.captures) captures.push_back(json_text(capture));
  json::object view{{"id", run.marker},
                    {"transaction", json_text(plan.name)},
                    {"origin", run.origin == engine::Origin::triggered ? "triggered" : "scheduled"},
                    {"state", run.closed    ? "closed"
                              : run.verdict ? "decided"
                                            : "in_flight"},
                    {"verdict", nullptr},
                    {"due", json_time(run.due, wall)},
                    {"started", json_time(run.started, wall)},
                    {"decided", json_time(run.decided, wall)},
                    {"traceparent", run.traceparent},
                    {"trace_id", trace_id(run.traceparent)},
                    {"captures", captures},
                    {"stages", steps_view(plan.stages, run.stages, wall)},
                    {"finally", steps_view(plan.finally, run.finally, wall)}};
  if (run.verdict) view["verdict"] = engine::name(*run.verdict);
  if (run.would_be) view["would_be"] = engine::name(*run.would_be);
  return view;
}

Response runs_answer(const engine::Snapshot& snapshot, std::string_view query) {
  const auto filter = parse_filter(query);
  if (!filter) return problem(400, filter.error().text);
  const auto wanted = [&](const engine::RunRecord& run) { return passes(snapshot, run, *filter); };
  json::array runs;
  for (const engine::RunRecord* run : newest_runs(snapshot, filter->limit, wanted)) {
    runs.push_back(run_view(snapshot, *run));
  }
  return json_answer(json::object{{"runs", runs}});
}

Response run_answer(const engine::Snapshot& snapshot, std::string_view id) {
  for (const auto& run : snapshot.runs) {
    if (run->marker == id && run->id.transaction < snapshot.plan->transactions.size()) {
      return json_answer(run_view(snapshot, *run));
    }
  }
  return problem(404, "No run " + quote(id) +
                          " is known: it may have been too long ago (the last ones of each transaction are kept), of "
                          "another probe, or not yet be in the snapshot, which is renewed every second.");
}

}  // namespace slosonde::exporter
