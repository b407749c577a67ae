#include "probe/config/json_path.h"

#include <boost/json/value.hpp>
#include <charconv>
#include <utility>

#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

constexpr size_t kMaxSteps = 32;

tl::unexpected<Error> wrong(std::string_view text, const std::string& what) {
  return fail(ErrorCode::bad_config,
              quoted(text) + " is no JSON path: " + what + "; write it as $.a.b[0], $['a b'] or $.list[*].id");
}

// Takes `.name` off the front of rest.
bool take_name(std::string_view& rest, std::string& name) {
  const size_t end = rest.find_first_of(".[]'\"* ");
  name = rest.substr(0, end);
  rest.remove_prefix(name.size());
  return !name.empty();
}

// Takes `'name']` off the front of rest.
bool take_quoted_name(std::string_view& rest, std::string& name) {
  const char quote = rest[0];
  const size_t end = rest.find(quote, 1);
  if (end == std::string_view::npos || !rest.substr(end + 1).starts_with(']')) return false;
  name = rest.substr(1, end - 1);
  rest.remove_prefix(end + 2);
  return true;
}

// Takes `-1]` off the front of rest.
bool take_index(std::string_view& rest, int64_t& index) {
  const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), index);
  const size_t used = static_cast<size_t>(end - rest.data());
  if (problem != std::errc{} || !rest.substr(used).starts_with(']')) return false;
  rest.remove_prefix(used + 1);
  return true;
}

void visit_all(const boost::json::value& value, std::vector<const boost::json::value*>& found) {
  if (const auto* items = value.if_array())
    for (const auto& item : *items) found.push_back(&item);
  if (const auto* members = value.if_object())
    for (const auto& member : *members) found.push_back(&member.value());
}

void visit_index(const boost::json::value& value, int64_t index, std::vector<const boost::json::value*>& found) {
  const auto* items = value.if_array();
  if (items == nullptr) return;
  const auto size = static_cast<int64_t>(items->size());
  const int64_t at = index < 0 ? index + size : index;
  if (at >= 0 && at < size) found.push_back(&(*items)[static_cast<size_t>(at)]);
}

void visit_name(const boost::json::value& value, const std::string& name,
                std::vector<const boost::json::value*>& found) {
  if (const auto* members = value.if_object())
    if (const auto* member = members->if_contains(name)) found.push_back(member);
}

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text) {
  if (!text.starts_with('$')) return wrong(text, "it does not begin with $");
  JsonPath path;
  path.source_ = text;
  std::string_view rest = text.substr(1);
  while (!rest.empty()) {
    Step step;
    const char kind = rest[0];
    rest.remove_prefix(1);
    if (kind == '.') {
      if (!take_name(rest, step.name)) return wrong(text, "a name is missing after a dot");
    } else if (kind != '[') {
      return wrong(text, "after a step comes . or [");
    } else if (rest.starts_with("*]")) {
      step.kind = Step::Kind::all;
      rest.remove_prefix(2);
    } else if (rest.starts_with('\'') || rest.starts_with('"')) {
      if (!take_quoted_name(rest, step.name)) return wrong(text, "a quoted name does not end with a quote and ]");
    } else {
      step.kind = Step::Kind::index;
      if (!take_index(rest, step.index)) return wrong(text, "in brackets stands a whole number, a quoted name or *");
    }
    path.steps_.push_back(std::move(step));
    if (path.steps_.size() > kMaxSteps) return wrong(text, "it has more than 32 steps");
  }
  return path;
}

std::vector<const boost::json::value*> JsonPath::find(const boost::json::value& root) const {
  std::vector<const boost::json::value*> reached = {&root};
  for (const Step& step : steps_) {
    std::vector<const boost::json::value*> next;
    for (const boost::json::value* value : reached) {
      switch (step.kind) {
        case Step::Kind::name:
          visit_name(*value, step.name, next);
          break;
        case Step::Kind::index:
          visit_index(*value, step.index, next);
          break;
        case Step::Kind::all:
          visit_all(*value, next);
          break;
      }
    }
    reached = std::move(next);
  }
  return reached;
}

}  // namespace slosonde::config
