// What a configuration file can do wrong. Every rule has a bad fixture in tests/unit/config/bad.
#pragma once

#include <cstdint>
#include <string_view>

namespace slosonde::config {

enum class Rule : uint8_t {
  // The file as YAML.
  file_too_large,
  not_utf8,
  control_character,
  not_yaml,
  too_deep,
  too_many_values,
  anchor,
  alias,
  merge_key,
  tag,
  second_document,
  key_not_text,
  duplicate_key,
  // References to the environment and to files.
  bad_reference,
  variable_unset,
  file_unreadable,
  too_much_included,
  // Keys of a block.
  unknown_key,
  missing_key,
  no_value,
  wrong_type,
  kind_not_check,
  kind_not_watch,
  // Single values.
  empty_text,
  missing_unit,
  unknown_unit,
  out_of_range,
  not_a_choice,
  bad_url,
  url_credentials,
  bad_address,
  bad_regex,
  bad_json_path,
  bad_template,
  stray_placeholder,
  secret_in_clear,
  secret_twice,
  // A kind's own rule.
  block_rule,
  // Names and references between parts.
  bad_name,
  duplicate_name,
  unknown_transaction,
  unknown_stage,
  not_an_earlier_stage,
  capture_name,
  capture_unknown,
  captures_too_many,
  label_name,
  label_reserved,
  // Transactions.
  not_one_action,
  key_without_effect,
  watch_first,
  marker_not_sent,
  payload_not_sent,
  limit_before_previous,
  poll_slower_than_limit,
  backoff_too_short,
  too_many_in_flight,
  never_seen,
  // SLOs.
  objective,
  faster_than_without_stage,
  faster_than_over_limit,
  // Exclusions.
  exclusion_when,
  exclusion_length,
  wall_time,
  time_of_day,
  weekday,
  time_zone,
  // Probe and listeners.
  probe_name,
  state_needs_key,
  state_needs_name,
  bad_witness,
  listener_address,
  listeners_clash,
  hooks_open,
  hooks_url,
  admin_open,
  admin_unused,
};
constexpr int kRules = static_cast<int>(Rule::admin_unused) + 1;

// "file_too_large"
std::string_view name(Rule rule);

}  // namespace slosonde::config
