#include "probe/cli/json_read.h"

#include <limits>

namespace slosonde::cli {

namespace json = boost::json;

const json::value* find(const json::value& in, std::string_view key) {
  const auto* object = in.if_object();
  return object != nullptr ? object->if_contains(key) : nullptr;
}

std::string text_of(const json::value& in, std::string_view key) {
  const auto* found = find(in, key);
  const auto* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(*text) : std::string();
}

std::optional<double> number_of(const json::value& in, std::string_view key) {
  const auto* found = find(in, key);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = found->if_string()) {
    if (*text == "+Inf") return std::numeric_limits<double>::infinity();
    if (*text == "-Inf") return -std::numeric_limits<double>::infinity();
    return std::nullopt;
  }
  if (!found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

bool flag_of(const json::value& in, std::string_view key) {
  const auto* found = find(in, key);
  const auto* flag = found != nullptr ? found->if_bool() : nullptr;
  return flag != nullptr && *flag;
}

const json::array& list_of(const json::value& in, std::string_view key) {
  static const json::array kNone;
  const auto* found = find(in, key);
  const auto* list = found != nullptr ? found->if_array() : nullptr;
  return list != nullptr ? *list : kNone;
}

}  // namespace slosonde::cli
