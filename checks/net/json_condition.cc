#include "checks/net/json_condition.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <vector>

#include "checks/net/excerpt.h"

namespace slosonde::checks {

namespace json = boost::json;

namespace {

using config::Key;
using config::Type;

void needs_a_condition(const config::Values& values, config::Problems& problems) {
  for (const auto* key : {"equals", "less_than", "greater_than", "exists", "regex"})
    if (values.has(key)) return;
  problems.add(values.position(), values.path(),
               "no condition; add one of `equals`, `less_than`, `greater_than`, `regex`, `exists`");
}

constexpr std::array<Key, 6> kKeys = {{
    {.name = "path", .type = Type::json_path, .help = "Where to look: `$.a.b[0]`.", .required = true},
    {.name = "equals", .type = Type::json, .help = "The value must be this one; texts may hold placeholders."},
    {.name = "less_than", .type = Type::number, .help = "The value must be a number below this."},
    {.name = "greater_than", .type = Type::number, .help = "The value must be a number above this."},
    {.name = "regex", .type = Type::regex, .help = "The value must be a text in which this pattern (RE2) is found."},
    {.name = "exists", .type = Type::boolean, .help = "Whether there must be a value at all."},
}};
constexpr config::Block kBlock{.name = "http.expect.body.json",
                               .help = "One condition on the answer as JSON.",
                               .keys = kKeys,
                               .rule = needs_a_condition};

std::optional<double> number(const json::value& value) {
  switch (value.kind()) {
    case json::kind::int64:
      return static_cast<double>(value.get_int64());
    case json::kind::uint64:
      return static_cast<double>(value.get_uint64());
    case json::kind::double_:
      return value.get_double();
    default:
      return std::nullopt;
  }
}

// 1 and 1.0 are the same number.
bool same(const json::value& a, const json::value& b) {
  if (a == b) return true;
  const auto x = number(a), y = number(b);
  return x && y && *x == *y;
}

using Values = std::vector<const json::value*>;

// One part of the condition: an error when no value fits.
std::optional<std::string> need(const std::string& path, const Values& found, const std::string& wanted,
                                const config::Mask& mask, const std::function<bool(const json::value&)>& fits) {
  if (found.empty()) return "there is no " + path + " in the answer, expected " + wanted;
  if (std::any_of(found.begin(), found.end(), [&](const json::value* value) { return fits(*value); })) {
    return std::nullopt;
  }
  return path + " is " + excerpt(json::serialize(*found[0]), mask) + ", expected " + wanted;
}

}  // namespace

const config::Block* json_condition_block() {
  return &kBlock;
}

std::optional<std::string> judge_condition(const config::Values& condition, const json::value& root,
                                           const config::Variables& variables, const config::Mask& mask) {
  const std::string& path = condition.json_path("path").source();
  const Values found = condition.json_path("path").find(root);
  std::optional<std::string> wrong;
  if (condition.has("exists")) {
    if (condition.boolean("exists") && found.empty()) return "there is no " + path + " in the answer";
    if (!condition.boolean("exists") && !found.empty()) return "there is a " + path + " in the answer, and must not be";
  }
  if (condition.has("equals")) {
    const std::string text = config::render_json(condition.json("equals"), variables);
    boost::system::error_code problem;
    const json::value wanted = json::parse(text, problem);
    wrong = need(path, found, excerpt(text, mask), mask,
                 [&](const json::value& value) { return !problem && same(value, wanted); });
  }
  if (!wrong && condition.has("less_than")) {
    const double limit = condition.number("less_than");
    wrong = need(path, found, "a number less than " + json::serialize(json::value(limit)), mask,
                 [&](const json::value& value) { return number(value).value_or(limit) < limit; });
  }
  if (!wrong && condition.has("greater_than")) {
    const double limit = condition.number("greater_than");
    wrong = need(path, found, "a number greater than " + json::serialize(json::value(limit)), mask,
                 [&](const json::value& value) { return number(value).value_or(limit) > limit; });
  }
  if (!wrong && condition.has("regex")) {
    const RE2 pattern(condition.text("regex"), RE2::Quiet);
    wrong = need(path, found, "a text that matches " + excerpt(condition.text("regex"), mask), mask,
                 [&](const json::value& value) {
                   return value.is_string() &&
                          RE2::PartialMatch(re2::StringPiece(value.get_string().data(), value.get_string().size()),
                                            pattern);
                 });
  }
  return wrong;
}

}  // namespace slosonde::checks
