#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "exporter/web/json_parts.h"
#include "probe/cli/commands.h"
#include "probe/cli/exit.h"
#include "probe/cli/instance.h"
#include "probe/cli/load.h"
#include "probe/cli/state.h"
#include "probe/cli/table.h"
#include "probe/slo/policy.h"

namespace slosonde::cli {

namespace {

namespace json = boost::json;

// One SLO and what its tiers mean.
struct Meaning {
  const config::Slo* slo;
  const config::Transaction* transaction;
  slo::Terms terms;
  Duration within{};  // from due to where a run that fails is decided at the latest
  slo::Policy policy;
};

// When a stage's limit falls, from due: with `from` it counts from when that stage was seen, at the latest its limit.
Duration limit_from_due(const config::Transaction& transaction, size_t stage) {
  const config::Stage& one = transaction.stages[stage];
  return one.from ? one.within + limit_from_due(transaction, *one.from) : one.within;
}

Duration decided_within(const config::Transaction& transaction, const std::optional<size_t>& stage) {
  if (stage) return limit_from_due(transaction, *stage);
  Duration longest{};
  for (size_t i = 0; i < transaction.stages.size(); ++i) longest = std::max(longest, limit_from_due(transaction, i));
  return longest;
}

Meaning meaning_of(const config::Slo& slo, const config::Config& config) {
  Meaning made{&slo, &config.transactions[slo.transaction], {}, {}, {}};
  made.terms = {slo::Objective{slo.objective_ppb}, slo.window, made.transaction->every};
  made.within = decided_within(*made.transaction, slo.stage);
  made.policy = slo::default_policy(made.terms, slo.min_bad);
  return made;
}

// Exact: 99.9% for 999'000'000.
std::string percent(int64_t ppb) {
  std::string decimals = std::to_string(10'000'000 + ppb % 10'000'000).substr(1);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return std::to_string(ppb / 10'000'000) + (decimals.empty() ? "" : "." + decimals) + "%";
}

// "99.9% of the runs of log-to-alert, stage alert, good over 30d; a run every 5s"
std::string promise(const Meaning& meaning) {
  const config::Slo& slo = *meaning.slo;
  std::string text = percent(slo.objective_ppb) + " of the runs of " + meaning.transaction->name;
  if (slo.stage) text += ", stage " + meaning.transaction->stages[*slo.stage].name + ",";
  text += slo.faster_than ? " faster than " + format_duration(*slo.faster_than) : " good";
  return text + " over " + format_duration(slo.window) + "; a run every " + format_duration(meaning.transaction->every);
}

// Of a latency SLO, the stages whose failure leaves its own one skipped: "ingest or incident"; empty where there is
// none.
std::string stages_before(const Meaning& meaning) {
  if (!meaning.slo->faster_than || !meaning.slo->stage) return {};
  // What sends leaves all that follows skipped, and what sends is itself skipped whatever failed before.
  const auto& stages = meaning.transaction->stages;
  const bool sends = stages[*meaning.slo->stage].mode == config::StageMode::done;
  std::string names;
  for (size_t i = 0; i < *meaning.slo->stage; ++i)
    if (sends || stages[i].mode == config::StageMode::done) names += (names.empty() ? "" : " or ") + stages[i].name;
  return names;
}

void print(const Meaning& meaning, bool colour) {
  std::cout << '\n' << meaning.slo->name << ": " << promise(meaning) << '\n';
  Table table({"tier", "severity", "windows", "fired by", "of the budget", "outage seen after"}, {4});
  std::vector<std::string> thin;
  for (const slo::Tier& tier : meaning.policy.tiers) {
    const slo::Outlook outlook = slo::outlook(tier, meaning.terms, meaning.within);
    table.add({{slo::label(tier)},
               {std::string(slo::name(tier.severity))},
               {format_duration(tier.long_window) + ", " + format_duration(tier.short_window)},
               {std::to_string(outlook.failures) + " failures"},
               {shown_share(outlook.budget_spent)},
               {shown_duration(seconds(outlook.outage_seen))}});
    if (outlook.short_is_thin) thin.push_back(slo::label(tier));
  }
  if (!meaning.policy.tiers.empty()) table.print(std::cout, colour, 2);
  for (const slo::DroppedTier& dropped : meaning.policy.dropped) {
    std::cout << "  " << toned("dropped:", Tone::warning, colour) << ' '
              << slo::explain(dropped.reason, dropped.tier, meaning.terms) << '\n';
  }
  for (const std::string& label : thin) {
    std::cout << "  " << toned("thin:", Tone::warning, colour) << " the short window of " << label
              << " holds fewer than 3 runs; one good run resolves it, one late run delays it\n";
  }
  if (const std::string earlier = stages_before(meaning); !earlier.empty() && !meaning.policy.tiers.empty()) {
    std::cout
        << "  " << toned("seen here:", Tone::faint, colour) << " an outage of stage "
        << meaning.transaction->stages[*meaning.slo->stage].name << " itself. After one of " << earlier
        << " the run is `skipped` here, which is no event for a latency SLO (unless `faster_than` was over before "
           "it was known):\n  an SLO without `faster_than` tells of that one\n";
  }
  if (meaning.policy.tiers.empty()) {
    std::cout << "  " << toned("nobody is told:", Tone::bad, colour) << " no tier of this SLO can ever fire\n";
  }
}

json::object as_json(const Meaning& meaning) {
  json::array tiers, dropped;
  for (const slo::Tier& tier : meaning.policy.tiers) {
    const slo::Outlook outlook = slo::outlook(tier, meaning.terms, meaning.within);
    tiers.push_back({{"tier", slo::label(tier)},
                     {"severity", slo::name(tier.severity)},
                     {"factor", tier.factor.value()},
                     {"long_window_seconds", exporter::exact_seconds(tier.long_window)},
                     {"short_window_seconds", exporter::exact_seconds(tier.short_window)},
                     {"failures", outlook.failures},
                     {"outage_seen_seconds", exporter::exact_seconds(outlook.outage_seen)},
                     {"budget_spent", outlook.budget_spent},
                     {"short_is_thin", outlook.short_is_thin}});
  }
  for (const slo::DroppedTier& one : meaning.policy.dropped) {
    dropped.push_back({{"tier", slo::label(one.tier)}, {"reason", slo::explain(one.reason, one.tier, meaning.terms)}});
  }
  json::object made;
  made["name"] = meaning.slo->name;
  made["objective"] = static_cast<double>(meaning.slo->objective_ppb) / static_cast<double>(slo::kWhole_ppb);
  made["window_seconds"] = exporter::exact_seconds(meaning.slo->window);
  made["transaction"] = meaning.transaction->name;
  made["every_seconds"] = exporter::exact_seconds(meaning.transaction->every);
  const std::string earlier = stages_before(meaning);
  if (!earlier.empty()) made["note"] = "an outage of " + earlier + " is no event here: its runs are skipped";
  if (meaning.slo->stage) made["stage"] = meaning.transaction->stages[*meaning.slo->stage].name;
  made["tiers"] = std::move(tiers);
  made["dropped"] = std::move(dropped);
  return made;
}

json::object as_json(const config::Problem& problem) {
  json::object made;
  made["line"] = problem.position.line;
  made["column"] = problem.position.column;
  made["path"] = problem.path;
  made["message"] = problem.message;
  return made;
}

std::string counted(size_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

int report_mistakes(const Mistakes& mistakes, const ValidateOptions& options) {
  if (!options.json) return complain(mistakes, options.config);
  json::array list;
  if (mistakes.unreadable) list.push_back(json::object{{"message", mistakes.unreadable.text}});
  for (const config::Problem& problem : mistakes.problems.list()) {
    json::object made = as_json(problem);
    if (!mistakes.file.empty()) made["file"] = mistakes.file;
    list.push_back(std::move(made));
  }
  const json::object made{{"config", options.config}, {"good", false}, {"problems", std::move(list)}};
  std::cout << exporter::json_written(made) << '\n';
  return kBadConfig;
}

}  // namespace

int validate(const ValidateOptions& options) {
  const auto config = load_config(options.config);
  if (!config) return report_mistakes(config.error(), options);
  // Checks and watches are made, and go again unused: a file that one of them cannot read is a mistake here too.
  InstanceOptions unused;
  unused.web = exporter::web_options(*config, SLOSONDE_VERSION);
  unused.service.schedule = false;
  if (auto made = Instance::make(*config, std::move(unused)); !made) {
    return report_mistakes({{}, std::move(made.error())}, options);
  }
  std::vector<Meaning> meanings;
  for (const config::Slo& slo : config->slos) meanings.push_back(meaning_of(slo, *config));
  // The file may be meant for another machine: no mistake, but worth a line.
  const std::string obstacle = state_obstacle(*config);
  if (options.json) {
    json::array slos;
    for (const Meaning& meaning : meanings) slos.push_back(as_json(meaning));
    json::object made{{"config", options.config}, {"good", true}, {"slos", std::move(slos)}};
    if (!obstacle.empty()) made["note"] = "probe.state: " + obstacle;
    std::cout << exporter::json_written(made) << '\n';
    return kGood;
  }
  const bool colour = wants_colour();
  std::cout << options.config << ": " << toned("good", Tone::good, colour) << ", with "
            << counted(config->transactions.size(), "transaction") << " and " << counted(config->slos.size(), "SLO")
            << '\n';
  if (!obstacle.empty())
    std::cout << "  " << toned("not here:", Tone::warning, colour) << " probe.state: " << obstacle << '\n';
  for (const Meaning& meaning : meanings) print(meaning, colour);
  return kGood;
}

}  // namespace slosonde::cli
