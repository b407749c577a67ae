#include "checks/webhook_body.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>

namespace slosonde::checks {
namespace {

namespace json = boost::json;

// FNV-1a, 64 bits: the same in every process.
uint64_t content_hash(std::string_view text, uint64_t hash = 14695981039346656037U) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return value->get_string();
}

EvidencePhase phase_of(const json::object& alert) {
  const std::string_view status = text_of(alert, "status");
  if (status == "firing") return EvidencePhase::firing;
  if (status == "resolved") return EvidencePhase::resolved;
  return EvidencePhase::none;
}

uint64_t alert_item(const json::object& alert) {
  std::string identity(text_of(alert, "fingerprint"));
  if (identity.empty()) {
    if (const json::value* labels = alert.if_contains("labels")) identity = json::serialize(*labels);
  }
  identity.push_back('\0');
  identity.append(text_of(alert, "startsAt"));
  return content_hash(identity);
}

const json::array* alerts_of(const json::value& body) {
  const json::object* object = body.if_object();
  const json::value* alerts = object == nullptr ? nullptr : object->if_contains("alerts");
  const json::array* list = alerts == nullptr ? nullptr : alerts->if_array();
  if (list == nullptr || list->empty()) return nullptr;
  const bool all_objects = std::ranges::all_of(*list, [](const json::value& alert) { return alert.is_object(); });
  return all_objects ? list : nullptr;
}

std::optional<json::value> parsed(std::string_view body) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  json::error_code error;
  json::value value = json::parse(body, error, {}, options);
  if (error) return std::nullopt;
  return value;
}

void whole(std::string_view text, const std::function<void(const HookPiece&)>& take) {
  take({text, content_hash(text), EvidencePhase::none});
}

}  // namespace

std::optional<HookFormat> hook_format(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {"auto", "alertmanager", "json", "text"};
  const auto* found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<HookFormat>(found - kNames.begin());
}

bool split_hook(HookFormat format, std::string_view body, const std::function<void(const HookPiece&)>& take) {
  const auto value = format == HookFormat::text ? std::nullopt : parsed(body);
  if (!value) {
    whole(body, take);
    return format == HookFormat::text || format == HookFormat::any;
  }
  const json::array* alerts = format == HookFormat::json ? nullptr : alerts_of(*value);
  if (alerts != nullptr) {
    for (const json::value& alert : *alerts) {
      const std::string text = json::serialize(alert);
      take({text, alert_item(alert.get_object()), phase_of(alert.get_object())});
    }
    return true;
  }
  if (const json::array* list = value->if_array()) {
    for (const json::value& element : *list) whole(json::serialize(element), take);
  } else {
    whole(json::serialize(*value), take);
  }
  return format != HookFormat::alertmanager;
}

}  // namespace slosonde::checks
