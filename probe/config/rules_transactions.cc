#include <string>

#include "probe/config/rules.h"
#include "probe/config/suggest.h"

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
  if (!Builder::is_given(stage, "payload") || !Builder::is_complete(stage)) return;
  if (is_never_seen(stage)) {
    problems.add(stage.position("payload"), stage.path("payload"),
                 "has no effect: with `expect: none` every copy is bad, whatever it carries; remove it",
                 Rule::key_without_effect);
    return;
  }
  if (stage.has("poll") || stage.has("watch")) return;
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
void check_from(const std::vector<Values>& stages, size_t index, Problems& problems) {
  const Values& stage = stages[index];
  if (!stage.has("from")) return;
  const std::optional<size_t> origin = index_of(stages, stage.text("from"));
  if (origin && *origin < index) {
    if (!is_never_seen(stages[*origin])) return;
    problems.add(stage.position("from"), stage.path("from"),
                 called(stage, "from") +
                     " expects none, and is never seen while all is well; name another stage, or remove `from` to "
                     "count from due",
                 Rule::never_seen);
    return;
  }
  if (origin) {
    problems.add(stage.position("from"), stage.path("from"),
                 called(stage, "from") + (*origin == index ? " is this stage itself" : " comes after this stage") +
                     "; name an earlier one, or remove `from` to count from due",
                 Rule::not_an_earlier_stage);
    return;
  }
  const std::vector<Values> earlier(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(index));
  // A stage whose name could not be read may be the one meant.
  if (names_of(earlier).size() < index) return;
  problems.add(stage.position("from"), stage.path("from"),
               called(stage, "from") + " is no stage of this transaction; " +
                   suggestion(Builder::written(stage, "from"), names_of(earlier)),
               Rule::unknown_stage);
}

void check_limits(const std::vector<Values>& stages, Problems& problems) {
  for (size_t i = 1; i < stages.size(); ++i) {
    const std::optional<Duration> before = limit_of(stages, i - 1);
    const std::optional<Duration> limit = limit_of(stages, i);
    if (!before || !limit) continue;
    const Values& stage = stages[i];
    if (*limit == *before && is_never_seen(stages[i - 1]) && !stage.has("watch")) {
      problems.add(stage.position("within"), stage.path("within"),
                   "begins when the stage before has proven that none came, at its limit, and has no time left then; "
                   "more than " +
                       format_duration(*before),
                   Rule::never_seen);
    }
    if (*limit >= *before) continue;
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

void check_backoff(const Values& transaction, Problems& problems) {
  if (!transaction.has("backoff") || !transaction.has("every")) return;
  const Duration every = transaction.duration("every");
  if (transaction.duration("backoff") >= every) return;
  problems.add(transaction.position("backoff"), transaction.path("backoff"),
               "shorter than every (" + format_duration(every) + "), at which runs are due anyway; longer than that",
               Rule::backoff_too_short);
}

}  // namespace

void check_transactions(const Whole& whole, Problems& problems) {
  for (const Values& transaction : whole.root.blocks("transactions")) {
    const std::vector<Values>& stages = transaction.blocks("stages");
    for (size_t i = 0; i < stages.size(); ++i) {
      check_actions(stages[i], true, problems);
      check_payload(stages[i], problems);
      check_poll(stages[i], problems);
      check_from(stages, i, problems);
    }
    for (const Values& step : transaction.blocks("finally")) check_actions(step, false, problems);
    check_limits(stages, problems);
    check_in_flight(transaction, problems);
    check_backoff(transaction, problems);
  }
}

}  // namespace slosonde::config
