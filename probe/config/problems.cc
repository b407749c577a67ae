#include <algorithm>
#include <array>
#include <string>

#include "probe/config/block.h"
#include "probe/config/mask.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

constexpr std::array<std::string_view, kRules> kRuleNames = {
    "file_too_large",
    "not_utf8",
    "control_character",
    "not_yaml",
    "too_deep",
    "too_many_values",
    "anchor",
    "alias",
    "merge_key",
    "tag",
    "second_document",
    "key_not_text",
    "duplicate_key",
    "bad_reference",
    "variable_unset",
    "file_unreadable",
    "too_much_included",
    "unknown_key",
    "missing_key",
    "no_value",
    "wrong_type",
    "kind_not_check",
    "kind_not_watch",
    "empty_text",
    "missing_unit",
    "unknown_unit",
    "out_of_range",
    "not_a_choice",
    "bad_url",
    "url_credentials",
    "bad_address",
    "bad_regex",
    "bad_json_path",
    "bad_template",
    "stray_placeholder",
    "secret_in_clear",
    "secret_twice",
    "block_rule",
    "bad_name",
    "duplicate_name",
    "unknown_transaction",
    "unknown_stage",
    "not_an_earlier_stage",
    "capture_name",
    "capture_unknown",
    "captures_too_many",
    "label_name",
    "label_reserved",
    "not_one_action",
    "key_without_effect",
    "watch_first",
    "marker_not_sent",
    "payload_not_sent",
    "limit_before_previous",
    "poll_slower_than_limit",
    "backoff_too_short",
    "too_many_in_flight",
    "never_seen",
    "objective",
    "faster_than_without_stage",
    "faster_than_over_limit",
    "exclusion_when",
    "exclusion_length",
    "wall_time",
    "time_of_day",
    "weekday",
    "time_zone",
    "probe_name",
    "state_needs_key",
    "state_needs_name",
    "bad_witness",
    "listener_address",
    "listeners_clash",
    "hooks_open",
    "hooks_url",
    "admin_open",
    "admin_unused",
};

bool earlier(const Position& a, const Position& b) {
  return a.line != b.line ? a.line < b.line : a.column < b.column;
}

}  // namespace

std::string_view name(Rule rule) {
  return kRuleNames[static_cast<size_t>(rule)];
}

void Problems::add(Position position, std::string path, std::string message, Rule rule) {
  // Both hold what the file holds, which may be anything.
  constexpr size_t kLongestPath = 300;
  constexpr size_t kLongestMessage = 1000;
  if (mask_) message = mask_->apply(message);
  path = printable(path, kLongestPath);
  message = printable(message, kLongestMessage);
  if (left_out_ > 0) problems_.pop_back();
  const auto place = std::upper_bound(problems_.begin(), problems_.end(), position,
                                      [](const Position& p, const Problem& q) { return earlier(p, q.position); });
  problems_.insert(place, Problem{position, std::move(path), std::move(message), rule});
  if (problems_.size() > kMax) {
    problems_.pop_back();
    ++left_out_;
  }
  if (left_out_ > 0) {
    const Position last = problems_.back().position;
    problems_.push_back({last, "", "and " + std::to_string(left_out_) + " more mistakes; mend these first", rule});
  }
}

std::string Problems::text(std::string_view file) const {
  std::string all;
  for (const Problem& problem : problems_) {
    all += file;
    if (problem.position.line > 0)
      all += ':' + std::to_string(problem.position.line) + ':' + std::to_string(problem.position.column);
    if (!problem.path.empty()) all += ": " + problem.path;
    all += ": " + problem.message + '\n';
  }
  return all;
}

}  // namespace slosonde::config
