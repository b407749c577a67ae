#include "probe/cli/run_view.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "probe/cli/exit.h"
#include "probe/cli/json_read.h"
#include "probe/cli/table.h"

namespace slosonde::cli {

namespace json = boost::json;

namespace {

Tone tone_of_stage(const StageView& stage) {
  if (stage.bad) return Tone::bad;
  if (stage.verdict == "on_time") return Tone::good;
  if (stage.verdict.empty() || stage.verdict == "skipped") return Tone::faint;
  return stage.verdict == "unseen" ? Tone::warning : Tone::bad;
}

Tone tone_of_run(std::string_view verdict) {
  if (verdict == "good") return Tone::good;
  return verdict == "bad" ? Tone::bad : Tone::warning;
}

// Where the verdict alone does not say it.
std::string wrong_with(const StageView& stage, const json::value& step) {
  const auto* error = find(step, "error");
  std::string text = error != nullptr ? text_of(*error, "text") : "";
  if (!text.empty()) return text_of(*error, "code") + ": " + text;
  const auto within = number_of(step, "within_seconds");
  const std::string limit = within ? shown_setting(*within) : "its limit";
  if (stage.verdict == "late") return "seen, but not within " + limit;
  if (stage.verdict == "lost" || (stage.bad && stage.verdict.empty())) return "not seen within " + limit;
  if (stage.verdict == "corrupt") return "the marker came through, its payload did not";
  if (stage.verdict == "skipped") return "a stage before it failed";
  if (stage.verdict == "unseen") return "we could not see";
  if (flag_of(step, "waits_for_sight")) return "its limit has passed; what came by then is not yet known";
  return "";
}

StageView stage_view(const json::value& step) {
  StageView made;
  made.name = text_of(step, "name");
  made.verdict = text_of(step, "verdict");
  made.bad = flag_of(step, "bad");
  made.latency_s = number_of(step, "latency_seconds");
  made.hop_s = number_of(step, "hop_seconds");
  made.wrong = wrong_with(made, step);
  return made;
}

std::string shown(const std::optional<double>& seconds) {
  return seconds ? shown_duration(*seconds) : "-";
}

}  // namespace

Result<RunView> run_view(const json::value& run) {
  RunView made;
  made.transaction = text_of(run, "transaction");
  made.marker = text_of(run, "id");
  made.verdict = text_of(run, "verdict");
  if (made.transaction.empty() || made.marker.empty()) {
    return fail(ErrorCode::malformed, "that is no run: it has no \"id\" and \"transaction\"");
  }
  for (const json::value& step : list_of(run, "stages")) made.stages.push_back(stage_view(step));
  for (const json::value& step : list_of(run, "finally")) made.finally.push_back(stage_view(step));
  const auto settled = [](const StageView& stage) { return stage.bad || !stage.verdict.empty(); };
  const auto all = [&](const std::vector<StageView>& stages) {
    return std::all_of(stages.begin(), stages.end(), settled);
  };
  made.over = text_of(run, "state") == "closed" || (!made.verdict.empty() && all(made.stages) && all(made.finally));
  return made;
}

void print_run(std::ostream& out, const RunView& run, bool colour) {
  const std::string verdict = run.verdict.empty() ? "not over" : run.verdict;
  out << run.transaction << ": " << toned(verdict, tone_of_run(run.verdict), colour) << "  "
      << toned(run.marker, Tone::faint, colour) << '\n';
  Table table({"stage", "verdict", "latency", "hop", "what was wrong"}, {2, 3});
  for (const StageView& stage : run.stages) {
    const std::string stage_verdict = !stage.verdict.empty() ? stage.verdict : stage.bad ? "not in time" : "open";
    table.add({{stage.name},
               {stage_verdict, tone_of_stage(stage)},
               {shown(stage.latency_s)},
               {shown(stage.hop_s)},
               {stage.wrong}});
  }
  table.print(out, colour, 2);
  for (const StageView& step : run.finally) {
    if (step.verdict == "on_time") continue;
    out << "  " << toned("clean-up", Tone::warning, colour) << ' ' << step.name << ": "
        << (step.verdict.empty() ? "open" : step.verdict) << (step.wrong.empty() ? "" : ", " + step.wrong) << '\n';
  }
}

int exit_code(const std::vector<RunView>& runs) {
  const auto is = [](std::string_view verdict) {
    return [verdict](const RunView& run) { return run.verdict == verdict; };
  };
  if (std::any_of(runs.begin(), runs.end(), is("bad"))) return kBad;
  return !runs.empty() && std::all_of(runs.begin(), runs.end(), is("good")) ? kGood : kInconclusive;
}

}  // namespace slosonde::cli
