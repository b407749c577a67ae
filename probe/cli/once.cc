#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/web/api.h"
#include "exporter/web/json_parts.h"
#include "probe/cli/commands.h"
#include "probe/cli/exit.h"
#include "probe/cli/instance.h"
#include "probe/cli/load.h"
#include "probe/cli/refused_hooks.h"
#include "probe/cli/run_view.h"
#include "probe/cli/signals.h"
#include "probe/cli/table.h"

namespace slosonde::cli {

namespace {

namespace json = boost::json;

// Beyond a run's own limits: for its clean-up to be noticed.
constexpr Duration kSpare = std::chrono::seconds(5);

// Runs every transaction of the configuration once, all side by side.
class Once {
 public:
  Once(const config::Config& config, bool needs_hooks) : config_(config), needs_hooks_(needs_hooks) {}

  int run(const OnceOptions& options);

 private:
  InstanceOptions instance_options();
  int complain_of_listener(const Error& error) const;
  void look();
  void trigger_all();
  bool all_over(const engine::Snapshot& snapshot);
  void finish();
  int show(const OnceOptions& options) const;

  HeldSignals held_;
  const config::Config& config_;
  bool needs_hooks_;
  std::unique_ptr<Instance> instance_;
  bool triggered_ = false, finished_ = false, interrupted_ = false;
  Instant give_up_{};
  size_t unanswered_ = 0;
  std::vector<std::string> markers_, refusals_;
  json::array runs_;
};

InstanceOptions Once::instance_options() {
  InstanceOptions made;
  made.web = exporter::web_options(config_, SLOSONDE_VERSION);
  made.web.admin.reset();
  // Only the hooks are wanted; where they have an address of their own, nothing else need listen on a known one.
  if (made.web.hooks) made.web.listen = "127.0.0.1:0";
  made.service.schedule = false;
  made.service.on_snapshot = [this] { look(); };
  return made;
}

int Once::complain_of_listener(const Error& error) const {
  std::cerr << "slosonde once: " << error.text << '\n';
  if (error.code == ErrorCode::bad_config) return kBadConfig;
  std::cerr << "Webhooks would come there. Where a running probe holds the address, ask that one:\n"
               "  slosonde trigger --probe ITS-ADMIN-LISTENER --transaction NAME\n";
  return kInconclusive;
}

int Once::run(const OnceOptions& options) {
  auto made = Instance::make(config_, instance_options());
  if (!made) return complain({{}, std::move(made.error())}, options.config);
  instance_ = std::move(*made);
  if (needs_hooks_) {
    if (const auto listening = instance_->web().start(); !listening) return complain_of_listener(listening.error());
  }
  instance_->world().on_signals({SIGTERM, SIGINT}, [this](int) {
    interrupted_ = true;
    finish();
  });
  held_.release();
  instance_->service().start();
  instance_->run();
  return show(options);
}

// After each renewal of the snapshot: triggers once everything is ready, ends once everything is over.
void Once::look() {
  // The first snapshot is made before the instance is complete.
  if (!instance_ || finished_) return;
  const auto snapshot = instance_->service().snapshot();
  if (!triggered_ && snapshot->ready) trigger_all();
  if (!triggered_ || unanswered_ > 0) return;
  if (all_over(*snapshot) || instance_->world().now() > give_up_) finish();
}

void Once::trigger_all() {
  triggered_ = true;
  Duration longest{};
  for (const auto& transaction : config_.transactions) {
    Duration sum{};
    for (const auto& stage : transaction.stages) sum += stage.within;
    for (const auto& step : transaction.finally) sum += step.within;
    longest = std::max(longest, sum);
    ++unanswered_;
    instance_->service().trigger(transaction.name, [this, name = transaction.name](Result<std::string> started) {
      --unanswered_;
      if (started) {
        markers_.push_back(std::move(*started));
      } else {
        refusals_.push_back(name + ": " + started.error().text);
      }
    });
  }
  give_up_ = instance_->world().now() + longest + kSpare;
}

// What is not seen at its limit is lost: `once` does not wait for late evidence.
engine::RunRecord as_final(const engine::RunRecord& run) {
  engine::RunRecord made = run;
  for (engine::StageRecord& stage : made.stages) {
    if (stage.bad && !stage.verdict) stage.verdict = engine::StageVerdict::lost;
  }
  return made;
}

bool Once::all_over(const engine::Snapshot& snapshot) {
  runs_.clear();
  bool over = true;
  for (const std::string& marker : markers_) {
    const auto is_it = [&](const auto& run) { return run->marker == marker; };
    const auto found = std::find_if(snapshot.runs.begin(), snapshot.runs.end(), is_it);
    if (found == snapshot.runs.end()) continue;
    json::value run = exporter::run_view(snapshot, as_final(**found));
    const auto view = run_view(run);
    over = over && view && view->over;
    runs_.push_back(std::move(run));
  }
  return over;
}

void Once::finish() {
  finished_ = true;
  instance_->drain(Duration(0));
}

int Once::show(const OnceOptions& options) const {
  std::vector<RunView> views;
  for (const json::value& run : runs_) {
    if (auto view = run_view(run)) views.push_back(std::move(*view));
  }
  int code = exit_code(views);
  const bool complete = refusals_.empty() && !interrupted_ && views.size() == config_.transactions.size();
  if (code == kGood && !complete) code = kInconclusive;
  for (const std::string& refusal : refusals_) std::cerr << "slosonde once: " << refusal << '\n';
  if (interrupted_) std::cerr << "slosonde once: interrupted\n";
  for (const std::string& note : refused_hooks(config_, views, instance_->web().refused_calls()))
    std::cerr << "slosonde once: " << note << '\n';
  if (options.json) {
    const char* verdict = code == kGood ? "good" : code == kBad ? "bad" : "inconclusive";
    std::cout << exporter::json_written(json::object{{"verdict", verdict}, {"runs", runs_}}) << '\n';
    return code;
  }
  const bool colour = wants_colour();
  for (size_t i = 0; i < views.size(); ++i) {
    if (i > 0) std::cout << '\n';
    print_run(std::cout, views[i], colour);
  }
  return code;
}

// The one transaction that is asked for; its SLOs are of no interest here.
bool keep_only(config::Config& config, const std::string& name) {
  std::erase_if(config.transactions, [&](const auto& transaction) { return transaction.name != name; });
  config.slos.clear();
  return !config.transactions.empty();
}

std::string names_of(const config::Config& config) {
  std::string names;
  for (const auto& transaction : config.transactions) names += (names.empty() ? "" : ", ") + transaction.name;
  return names;
}

bool watches_hooks(const config::Config& config) {
  for (const auto& transaction : config.transactions) {
    for (const auto& stage : transaction.stages) {
      if (stage.mode == config::StageMode::watched && stage.use.kind == "webhook") return true;
    }
  }
  return false;
}

}  // namespace

int once(const OnceOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  auto config = load_config(options.config);
  if (!config) return complain(config.error(), options.config);
  const std::string names = names_of(*config);
  if (!options.transaction.empty() && !keep_only(*config, options.transaction)) {
    std::cerr << "slosonde once: no transaction is named \"" << options.transaction << "\"; there are: " << names
              << '\n';
    return kBadConfig;
  }
  Once command(*config, watches_hooks(*config));
  return command.run(options);
}

}  // namespace slosonde::cli
