// /api/v1/exclusions, and what of them and of suspensions is in other views.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>

#include "exporter/web/api.h"
#include "exporter/web/json_parts.h"

namespace slosonde::exporter {

namespace json = boost::json;

namespace {

std::string time_of_day(Duration time) {
  char text[16];
  const auto minutes = static_cast<int>(time / std::chrono::minutes(1));
  std::snprintf(text, sizeof text, "%02d:%02d", minutes / 60, minutes % 60);
  return text;
}

json::value weekly_view(const slo::Window& window) {
  const auto* weekly = std::get_if<slo::WeeklyWindow>(&window);
  if (weekly == nullptr) return nullptr;
  json::array days;
  for (size_t i = 0; i < weekly->days.size(); ++i) {
    if (weekly->days[i]) days.emplace_back(slo::kWeekdays[i]);
  }
  return json::object{{"days", days},
                      {"from", time_of_day(weekly->from)},
                      {"to", time_of_day(weekly->to)},
                      {"time_zone", json_text(weekly->zone->name)}};
}

}  // namespace

json::object exclusion_view(const engine::ExclusionStatus& exclusion) {
  json::array transactions;
  for (const std::string& one : exclusion.transactions) transactions.push_back(json_text(one));
  // Of one that is over: when it was.
  const auto* once = std::get_if<slo::WallSpan>(&exclusion.window);
  const auto span = once != nullptr ? std::optional(*once) : exclusion.next;
  const Duration by_the_wall_clock{};
  return {{"name", json_text(exclusion.name)},
          {"source", exclusion.declared ? "api" : "configuration"},
          {"transactions", transactions},
          {"weekly", weekly_view(exclusion.window)},
          {"start", json_time(span ? std::optional(span->from) : std::nullopt, by_the_wall_clock)},
          {"end", json_time(span ? std::optional(span->to) : std::nullopt, by_the_wall_clock)},
          {"active", exclusion.active},
          {"over", !exclusion.next},
          {"ended_early", exclusion.ended_early}};
}

json::value exclusions_view(const engine::Snapshot& snapshot) {
  json::array exclusions;
  for (const auto& one : snapshot.exclusions) exclusions.push_back(exclusion_view(one));
  return json::object{{"exclusions", exclusions}};
}

}  // namespace slosonde::exporter
