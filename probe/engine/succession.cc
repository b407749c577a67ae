#include "probe/engine/succession.h"

#include <algorithm>
#include <utility>

#include "probe/engine/sli_definition.h"

namespace slosonde::engine {

namespace {

using What = PlanChange::What;
using How = PlanChange::How;

bool same_watch(const WatchPlan& a, const WatchPlan& b) {
  if (a.kind != b.kind) return false;
  return a.definition.empty() && b.definition.empty() ? a.name == b.name : a.definition == b.definition;
}

// Without the index of its watch, which is the other plan's business.
StagePlan alone(const StagePlan& stage) {
  StagePlan made = stage;
  made.watch = 0;
  return made;
}

bool same_stage(const Plan& before, const StagePlan& a, const Plan& after, const StagePlan& b) {
  if (alone(a) != alone(b)) return false;
  return a.mode != StageMode::watched || same_watch(before.watches[a.watch], after.watches[b.watch]);
}

bool same_stages(const Plan& before, const std::vector<StagePlan>& a, const Plan& after,
                 const std::vector<StagePlan>& b) {
  const auto same = [&](const StagePlan& one, const StagePlan& other) { return same_stage(before, one, after, other); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

// What stands beside the stages.
TransactionPlan frame(const TransactionPlan& transaction) {
  TransactionPlan made = transaction;
  made.stages.clear();
  made.finally.clear();
  return made;
}

bool same_transaction(const Plan& before, const TransactionPlan& a, const Plan& after, const TransactionPlan& b) {
  return frame(a) == frame(b) && same_stages(before, a.stages, after, b.stages) &&
         same_stages(before, a.finally, after, b.finally);
}

template <class List>
auto by_name(const List& list, const std::string& name) {
  return std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.name == name; });
}

void add(std::string& text, const std::string& what) {
  text.append(text.empty() ? "" : ", ").append(what);
}

void add(std::string& text, const std::string& what, Duration before, Duration after) {
  if (before != after) add(text, what + " " + format_duration(before) + " -> " + format_duration(after));
}

std::vector<std::string> names(const std::vector<StagePlan>& stages) {
  std::vector<std::string> made;
  made.reserve(stages.size());
  for (const StagePlan& stage : stages) made.push_back(stage.name);
  return made;
}

std::string what_changed(const Plan& before, const TransactionPlan& a, const Plan& after, const TransactionPlan& b) {
  std::string text;
  add(text, "every", a.every, b.every);
  add(text, "linger", a.linger, b.linger);
  add(text, "backoff", a.backoff, b.backoff);
  if (a.max_in_flight != b.max_in_flight) {
    add(text, "max_in_flight " + std::to_string(a.max_in_flight) + " -> " + std::to_string(b.max_in_flight));
  }
  if (names(a.stages) != names(b.stages)) {
    add(text, "its stages");
  } else {
    for (size_t i = 0; i < a.stages.size(); ++i) {
      const StagePlan& one = a.stages[i];
      const StagePlan& other = b.stages[i];
      if (one.within != other.within) {
        add(text, "stage " + one.name + " within", one.within, other.within);
      } else if (!same_stage(before, one, after, other)) {
        add(text, "stage " + one.name);
      }
    }
  }
  if (!same_stages(before, a.finally, after, b.finally)) add(text, "finally");
  if (text.empty()) text = "its settings";
  return text;
}

std::string percent(int64_t ppb) {
  std::string digits = std::to_string(ppb);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  std::string text = digits.substr(0, digits.size() - 7) + "." + digits.substr(digits.size() - 7);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "%";
}

// Empty: nothing. The stages and transactions it names are other numbers in another plan.
std::string what_changed(const Plan& before, const SloPlan& a, const Plan& after, const SloPlan& b) {
  std::string text;
  if (sli_definition(before, a) != sli_definition(after, b)) add(text, "what it counts");
  if (a.objective_ppb != b.objective_ppb) {
    add(text, "objective " + percent(a.objective_ppb) + " -> " + percent(b.objective_ppb));
  }
  add(text, "window", a.window, b.window);
  if (a.min_bad != b.min_bad) {
    add(text, "min_bad " + std::to_string(a.min_bad) + " -> " + std::to_string(b.min_bad));
  }
  if (a.labels != b.labels) add(text, "labels");
  if (a.annotations != b.annotations) add(text, "annotations");
  return text;
}

void add_transactions(const Plan& before, const Plan& after, std::vector<PlanChange>& changes) {
  for (const TransactionPlan& one : before.transactions) {
    const auto other = by_name(after.transactions, one.name);
    if (other == after.transactions.end()) {
      changes.push_back({What::transaction, How::removed, one.name, {}});
    } else if (!same_transaction(before, one, after, *other)) {
      changes.push_back({What::transaction, How::changed, one.name, what_changed(before, one, after, *other)});
    }
  }
  for (const TransactionPlan& one : after.transactions) {
    if (by_name(before.transactions, one.name) != before.transactions.end()) continue;
    changes.push_back({What::transaction, How::added, one.name, {}});
  }
}

void add_slos(const Plan& before, const Plan& after, std::vector<PlanChange>& changes) {
  for (const SloPlan& one : before.slos) {
    const auto other = by_name(after.slos, one.name);
    if (other == after.slos.end()) {
      changes.push_back({What::slo, How::removed, one.name, {}});
    } else if (std::string text = what_changed(before, one, after, *other); !text.empty()) {
      changes.push_back({What::slo, How::changed, one.name, std::move(text)});
    }
  }
  for (const SloPlan& one : after.slos) {
    if (by_name(before.slos, one.name) == before.slos.end()) changes.push_back({What::slo, How::added, one.name, {}});
  }
}

void add_watches(const Plan& before, const Plan& after, std::vector<PlanChange>& changes) {
  const auto is_in = [](const std::vector<WatchPlan>& list, const WatchPlan& watch) {
    return std::any_of(list.begin(), list.end(), [&](const WatchPlan& one) { return same_watch(one, watch); });
  };
  for (const WatchPlan& one : before.watches) {
    if (!is_in(after.watches, one)) changes.push_back({What::watch, How::removed, one.name, {}});
  }
  for (const WatchPlan& one : after.watches) {
    if (!is_in(before.watches, one)) changes.push_back({What::watch, How::added, one.name, {}});
  }
}

// The transactions it covers, by name: their order may have changed.
std::vector<std::string> covered(const Plan& plan, const ExclusionPlan& exclusion) {
  std::vector<std::string> names;
  names.reserve(exclusion.transactions.size());
  for (const size_t transaction : exclusion.transactions) names.push_back(plan.transactions[transaction].name);
  return names;
}

void add_exclusions(const Plan& before, const Plan& after, std::vector<PlanChange>& changes) {
  for (const ExclusionPlan& one : before.exclusions) {
    const auto other = by_name(after.exclusions, one.name);
    if (other == after.exclusions.end()) {
      changes.push_back({What::exclusion, How::removed, one.name, {}});
    } else if (one.window != other->window || covered(before, one) != covered(after, *other)) {
      changes.push_back({What::exclusion, How::changed, one.name, {}});
    }
  }
  for (const ExclusionPlan& one : after.exclusions) {
    if (by_name(before.exclusions, one.name) == before.exclusions.end())
      changes.push_back({What::exclusion, How::added, one.name, {}});
  }
}

}  // namespace

std::string_view name(PlanChange::What what) {
  switch (what) {
    case What::probe:
      return "probe";
    case What::transaction:
      return "transaction";
    case What::slo:
      return "slo";
    case What::watch:
      return "watch";
    case What::exclusion:
      break;
  }
  return "exclusion";
}

std::string_view name(PlanChange::How how) {
  switch (how) {
    case How::added:
      return "added";
    case How::removed:
      return "removed";
    case How::changed:
      break;
  }
  return "changed";
}

Succession succession(const Plan& before, const Plan& after) {
  Succession made;
  made.transactions.resize(before.transactions.size());
  made.namesakes.resize(after.transactions.size());
  for (uint32_t t = 0; t < after.transactions.size(); ++t) {
    const TransactionPlan& one = after.transactions[t];
    const auto was = by_name(before.transactions, one.name);
    if (was == before.transactions.end()) continue;
    const auto index = static_cast<uint32_t>(was - before.transactions.begin());
    made.namesakes[t] = index;
    if (same_transaction(before, *was, after, one)) made.transactions[index] = t;
  }
  for (const WatchPlan& one : before.watches) {
    const auto same = [&](const WatchPlan& other) { return same_watch(one, other); };
    const auto found = std::find_if(after.watches.begin(), after.watches.end(), same);
    made.watches.push_back(found == after.watches.end()
                               ? std::nullopt
                               : std::optional(static_cast<size_t>(found - after.watches.begin())));
  }
  return made;
}

std::vector<PlanChange> plan_changes(const Plan& before, const Plan& after) {
  std::vector<PlanChange> changes;
  std::string probe;
  add(probe, "settle", before.settle, after.settle);
  add(probe, "max_lateness", before.max_lateness, after.max_lateness);
  if (before.witnesses != after.witnesses) add(probe, "witness");
  if (!probe.empty()) changes.push_back({What::probe, How::changed, after.probe, std::move(probe)});
  add_transactions(before, after, changes);
  add_slos(before, after, changes);
  add_watches(before, after, changes);
  add_exclusions(before, after, changes);
  return changes;
}

}  // namespace slosonde::engine
