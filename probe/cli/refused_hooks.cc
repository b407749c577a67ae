#include "probe/cli/refused_hooks.h"

namespace slosonde::cli {
namespace {

// The path of a stage that watches a webhook; empty: it does not.
std::string path_of(const config::Config& config, const RunView& run, const StageView& stage) {
  for (const auto& transaction : config.transactions) {
    if (transaction.name != run.transaction) continue;
    for (const auto& one : transaction.stages) {
      const bool is_hook = one.mode == config::StageMode::watched && one.use.kind == "webhook";
      if (is_hook && one.name == stage.name) return one.use.values.text("path");
    }
  }
  return {};
}

std::string sentence(const RunView& run, const StageView& stage, const std::string& path,
                     const exporter::RefusedCalls& calls) {
  std::string text = run.transaction + ": stage " + stage.name + " is " + stage.verdict + ", and meanwhile ";
  text += calls.count == 1 ? "a call" : std::to_string(calls.count) + " calls";
  text += calls.path.empty() ? " of other paths than " + path : " of " + path;
  return text + (calls.count == 1 ? " was" : " were") + " refused: " + calls.why;
}

}  // namespace

std::vector<std::string> refused_hooks(const config::Config& config, const std::vector<RunView>& runs,
                                       const std::vector<exporter::RefusedCalls>& calls) {
  std::vector<std::string> made;
  for (const RunView& run : runs) {
    for (const StageView& stage : run.stages) {
      if (stage.verdict != "lost" && stage.verdict != "unseen") continue;
      const std::string path = path_of(config, run, stage);
      if (path.empty()) continue;
      for (const exporter::RefusedCalls& one : calls) {
        if (one.path == path || one.path.empty()) made.push_back(sentence(run, stage, path, one));
      }
    }
  }
  return made;
}

}  // namespace slosonde::cli
