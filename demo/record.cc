#include "demo/record.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <functional>

namespace slosonde::demo {

namespace {

namespace json = boost::json;

Result<json::object> parse_object(std::string_view text, std::string_view what) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) {
    return fail(ErrorCode::malformed,
                std::string(what) + " is not a JSON object" + (error ? ": " + error.message() : ""));
  }
  return std::move(value.get_object());
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool speaks_of_failure(std::string_view message) {
  static constexpr std::array<std::string_view, 3> kSigns = {"failed", "error", "denied"};
  std::string lower(message);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return lower.find(sign) != std::string::npos; });
}

// The text field that people read, in whichever record it is.
json::value* message_in(json::object& record) {
  for (const std::string_view key : {"message", "summary"}) {
    json::value* const value = record.if_contains(key);
    if (value != nullptr && value->is_string()) return value;
  }
  return nullptr;
}

}  // namespace

Result<std::string> log_from_request(std::string_view body, std::string_view id) {
  auto log = parse_object(body, "the body");
  if (!log) return fail(log.error());
  if (text_of(*log, "message").empty()) {
    return fail(ErrorCode::malformed, R"(the body has no text under "message"; send {"message": "login failed"})");
  }
  (*log)["id"] = id;
  return json::serialize(*log);
}

Result<std::string> incident_from_log(std::string_view log_text, std::string_view opened_at) {
  auto log = parse_object(log_text, "the log");
  if (!log) return fail(log.error());
  const std::string message = text_of(*log, "message");
  if (!speaks_of_failure(message)) return std::string();
  json::object incident{
      {"id", text_of(*log, "id")}, {"opened_at", opened_at}, {"severity", "high"}, {"summary", message}};
  for (const std::string_view key : {"traceparent", "synthetic", "service"}) {
    if (const json::value* const value = log->if_contains(key)) incident[key] = *value;
  }
  return json::serialize(incident);
}

Result<std::string> alert_from_incident(std::string_view incident_text) {
  auto incident = parse_object(incident_text, "the incident");
  if (!incident) return fail(incident.error());
  const std::string id = text_of(*incident, "id");
  const json::object labels{
      {"alertname", "LogIncident"}, {"incident", id}, {"severity", text_of(*incident, "severity")}};
  const json::object annotations{{"summary", text_of(*incident, "summary")},
                                 {"traceparent", text_of(*incident, "traceparent")}};
  const json::object alert{{"status", "firing"},
                           {"labels", labels},
                           {"annotations", annotations},
                           {"startsAt", text_of(*incident, "opened_at")},
                           {"endsAt", "0001-01-01T00:00:00Z"},
                           {"generatorURL", ""},
                           {"fingerprint", std::to_string(std::hash<std::string>()(id))}};
  return json::serialize(json::object{{"version", "4"},
                                      {"groupKey", "{}:{incident=\"" + id + "\"}"},
                                      {"truncatedAlerts", 0},
                                      {"status", "firing"},
                                      {"receiver", "on-call"},
                                      {"groupLabels", json::object{{"incident", id}}},
                                      {"commonLabels", labels},
                                      {"commonAnnotations", annotations},
                                      {"externalURL", ""},
                                      {"alerts", json::array{alert}}});
}

std::string corrupted(std::string_view record) {
  auto parsed = parse_object(record, "the record");
  json::value* const message = parsed ? message_in(*parsed) : nullptr;
  if (message == nullptr) return std::string(record.substr(0, record.size() / 2));
  json::string& text = message->get_string();
  for (size_t i = text.size(); i-- > 0;) {
    if (std::isalnum(static_cast<unsigned char>(text[i])) != 0) {
      text[i] = text[i] == '0' ? '1' : '0';
      break;
    }
  }
  return json::serialize(*parsed);
}

}  // namespace slosonde::demo
