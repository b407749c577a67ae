#include <string>

#include "probe/config/rules.h"
#include "probe/config/suggest.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

constexpr int64_t kMostInFlight = 100'000;

// What the stage does: its kinds, and `poll` and `watch` where the block has them.
std::vector<std::string> actions_of(const Values& stage, bool is_stage) {
  std::vector<std::string> actions = Builder::kinds_of(stage);
  for (const char* key : {"poll", "watch"})
    if (is_stage && stage.has(key)) actions.emplace_back(key);
  return actions;
}

void check_one(const Values& block, const std::vector<std::string>& actions, const std::string& choices,
               Problems& problems) {
  if (actions.size() == 1 || (actions.empty() && !Builder::is_complete(block))) return;
  std::string message = "nothing to do";
  if (!actions.empty()) {
    message = "several things to do (";
    for (size_t i = 0; i < actions.size(); ++i) message += (i > 0 ? ", " : "") + actions[i];
    message += ")";
  }
  problems.add(block.position(), block.path(), message + "; exactly one of " + choices + " is expected",
               Rule::not_one_action);
}

void check_actions(const Values& stage, bool is_stage, Problems& problems) {
  check_one(stage, actions_of(stage, is_stage), is_stage ? "a check's kind, `poll` and `watch`" : "the checks' kinds",
            problems);
  if (!is_stage) return;
  if (stage.has("poll"))
    check_one(stage.block("poll"), Builder::kinds_of(stage.block("poll")), "the checks' kinds", problems);
  if (stage.has("watch"))
    check_one(stage.block("watch"), Builder::kinds_of(stage.block("watch")), "the watches' kinds", problems);
}

void check_payload(const Values& stage, Problems& problems) {
  if (!Builder::is_given(stage, "payload") || stage.has("poll") || stage.has("watch") || !Builder::is_complete(stage))
    return;
  problems.add(stage.position("payload"), stage.path("payload"),
               "has no effect: what is only done brings no evidence; remove it, or poll or watch for the evidence",
               Rule::key_without_effect);
}

void check_poll(const Values& stage, Problems& problems) {
  if (!stage.has("poll") || !stage.has("within")) return;
  const Values& poll = stage.block("poll");
  if (!poll.has("every") || poll.duration("every") <= stage.duration("within")) return;
  problems.add(poll.position("every"), poll.path("every"),
               "asks every " + format_duration(poll.duration("every")) + ", and the stage's limit is " +
                   format_duration(stage.duration("within")) + "; ask at least once within the limit",
               Rule::poll_slower_than_limit);
}

// `from` must name an earlier stage: nothing else has been seen by then.
void check_from(const Values& stage, size_t index, const std::vector<std::string_view>& names, Problems& problems) {
  if (!stage.has("from")) return;
  const std::string& from = stage.text("from");
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] != from) continue;
    if (i < index) return;
    problems.add(stage.position("from"), stage.path("from"),
                 quoted(from) + (i == index ? " is this stage itself" : " comes after this stage") +
                     "; name an earlier one, or remove `from` to count from due",
                 Rule::not_an_earlier_stage);
    return;
  }
  const std::span<const std::string_view> earlier(names.data(), std::min(index, names.size()));
  problems.add(stage.position("from"), stage.path("from"),
               quoted(from) + " is no stage of this transaction; " + suggestion(from, earlier), Rule::unknown_stage);
}

void check_limits(const std::vector<Values>& stages, Problems& problems) {
  for (size_t i = 1; i < stages.size(); ++i) {
    const std::optional<Duration> before = limit_of(stages, i - 1);
    const std::optional<Duration> limit = limit_of(stages, i);
    if (!before || !limit || *limit >= *before) continue;
    const Values& stage = stages[i];
    const Duration least = *before - (*limit - stage.duration("within"));
    problems.add(stage.position("within"), stage.path("within"),
                 "the limit, " + format_duration(*limit) + " after due, comes before that of the stage before it (" +
                     format_duration(*before) + "); at least " + format_duration(least),
                 Rule::limit_before_previous);
  }
}

void check_in_flight(const Values& transaction, Problems& problems) {
  if (!transaction.has("every") || Builder::is_given(transaction, "max_in_flight")) return;
  const Duration longest = longest_limit(transaction.blocks("stages"));
  if (longest / transaction.duration("every") < kMostInFlight - 1) return;
  problems.add(transaction.position("every"), transaction.path("every"),
               "with limits of " + format_duration(longest) + " more than " + std::to_string(kMostInFlight) +
                   " runs would be in flight; run less often, or set max_in_flight",
               Rule::too_many_in_flight);
}

}  // namespace

void check_transactions(const Whole& whole, Problems& problems) {
  const Node* list = whole.tree.find("transactions");
  const std::vector<Values>& transactions = whole.root.blocks("transactions");
  for (size_t t = 0; t < transactions.size(); ++t) {
    const std::vector<Values>& stages = transactions[t].blocks("stages");
    std::vector<std::string_view> names;
    if (list != nullptr && t < list->items.size()) names = names_in(list->items[t].find("stages"));
    for (size_t i = 0; i < stages.size(); ++i) {
      check_actions(stages[i], true, problems);
      check_payload(stages[i], problems);
      check_poll(stages[i], problems);
      check_from(stages[i], i, names, problems);
    }
    for (const Values& step : transactions[t].blocks("finally")) check_actions(step, false, problems);
    check_limits(stages, problems);
    check_in_flight(transactions[t], problems);
  }
}

}  // namespace slosonde::config
