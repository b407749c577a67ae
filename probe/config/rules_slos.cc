#include <algorithm>
#include <array>
#include <string>

#include "probe/config/rules.h"
#include "probe/config/suggest.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

// Labels that the probe, Prometheus or Alertmanager puts on itself.
constexpr std::array<std::string_view, 18> kReservedLabels = {
    "alertname", "bound",  "instance", "job", "le",    "percentile", "probe",       "quantile", "reason",
    "region",    "result", "severity", "slo", "stage", "tier",       "transaction", "window",   "zone"};

// Prometheus' data model; names beginning with __ are its own.
bool is_label_name(std::string_view name) {
  constexpr size_t kLongest = 128;
  return name.size() <= kLongest && is_identifier(name) && !name.starts_with("__");
}

void check_labels(const Values& slo, std::string_view key, Problems& problems) {
  const TextMap& labels = slo.text_map(key);
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::string& name = labels[i].first;
    const Position position = Builder::key_position(slo, key, i);
    const std::string path = join_path(slo.path(key), name);
    if (!is_label_name(name)) {
      problems.add(position, path,
                   quoted(name) + " is no name for Prometheus; letters, digits and _, not beginning with a digit or __",
                   Rule::label_name);
    } else if (key == "labels" &&
               std::find(kReservedLabels.begin(), kReservedLabels.end(), name) != kReservedLabels.end()) {
      problems.add(position, path,
                   "the label " + quoted(name) + " is set by slosonde or Prometheus itself; choose another name",
                   Rule::label_reserved);
    }
  }
}

void check_objective(const Values& slo, Problems& problems) {
  constexpr int64_t kWhole_ppb = 1'000'000'000;
  if (!slo.has("objective")) return;
  const int64_t objective = slo.share_ppb("objective");
  if (objective > 0 && objective < kWhole_ppb) return;
  problems.add(slo.position("objective"), slo.path("objective"),
               objective == 0 ? "an objective of 0% promises nothing; write the share that must be good, as 99.9%"
                              : "an objective of 100% leaves no error budget; write less, as 99.9%",
               Rule::objective);
}

// Whether every name could be read, so that a missing one is really missing.
bool all_named(const std::vector<Values>& blocks) {
  return names_of(blocks).size() == blocks.size();
}

// False when the stage is not there, which has then been said.
bool check_stage(const Values& sli, const Values& transaction, Problems& problems) {
  const std::vector<Values>& stages = transaction.blocks("stages");
  const std::string& stage = sli.text("stage");
  if (index_of(stages, stage)) return true;
  if (!transaction.has("stages") || !all_named(stages)) return false;
  const bool is_step = index_of(transaction.blocks("finally"), stage).has_value();
  problems.add(sli.position("stage"), sli.path("stage"),
               called(sli, "stage") +
                   (is_step ? " is a step under `finally`, which is never judged; "
                            : " is no stage of transaction " + called(sli, "transaction") + "; ") +
                   suggestion(is_step ? "" : Builder::written(sli, "stage"), names_of(stages)),
               Rule::unknown_stage);
  return false;
}

void check_faster_than(const Values& sli, const Values& transaction, Problems& problems) {
  const std::vector<Values>& stages = transaction.blocks("stages");
  const std::optional<size_t> stage = index_of(stages, sli.text("stage"));
  if (stage && is_never_seen(stages[*stage])) {
    problems.add(sli.position("faster_than"), sli.path("faster_than"),
                 "the stage expects none, and what must not appear is never fast; remove `faster_than`",
                 Rule::never_seen);
    return;
  }
  const std::optional<Duration> limit = stage ? limit_of(stages, *stage) : std::nullopt;
  if (!limit || sli.duration("faster_than") <= *limit) return;
  problems.add(sli.position("faster_than"), sli.path("faster_than"),
               format_duration(sli.duration("faster_than")) + " is beyond the stage's limit, " +
                   format_duration(*limit) + " after due, where it counts as lost; at most " + format_duration(*limit),
               Rule::faster_than_over_limit);
}

void check_sli(const Values& sli, const Whole& whole, Problems& problems) {
  if (sli.has("faster_than") && !Builder::is_given(sli, "stage") && Builder::is_complete(sli))
    problems.add(sli.position("faster_than"), sli.path("faster_than"), "a latency is a stage's; name it with `stage`",
                 Rule::faster_than_without_stage);
  if (!sli.has("transaction") || !whole.root.has("transactions")) return;
  const std::vector<Values>& transactions = whole.root.blocks("transactions");
  const std::optional<size_t> index = index_of(transactions, sli.text("transaction"));
  if (!index) {
    if (all_named(transactions))
      problems.add(sli.position("transaction"), sli.path("transaction"),
                   "there is no transaction " + called(sli, "transaction") + "; " +
                       suggestion(Builder::written(sli, "transaction"), names_of(transactions)),
                   Rule::unknown_transaction);
    return;
  }
  if (sli.has("stage") && check_stage(sli, transactions[*index], problems) && sli.has("faster_than"))
    check_faster_than(sli, transactions[*index], problems);
}

}  // namespace

void check_slos(const Whole& whole, Problems& problems) {
  for (const Values& slo : whole.root.blocks("slos")) {
    check_objective(slo, problems);
    check_labels(slo, "labels", problems);
    check_labels(slo, "annotations", problems);
    if (slo.has("sli")) check_sli(slo.block("sli"), whole, problems);
  }
}

}  // namespace slosonde::config
