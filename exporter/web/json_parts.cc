#include "exporter/web/json_parts.h"

#include <boost/json/object.hpp>
#include <cmath>
#include <string>

#include "exporter/web/quote.h"

namespace slosonde::exporter {

namespace json = boost::json;

json::value json_time(std::optional<Instant> instant, Duration wall_offset) {
  if (!instant || *instant == kNever) return nullptr;
  return json::value(format_utc(*instant + wall_offset));
}

json::value json_seconds(std::optional<Duration> duration) {
  if (!duration) return nullptr;
  return seconds(*duration);
}

json::value json_number(std::optional<double> number) {
  if (!number || std::isnan(*number)) return nullptr;
  if (std::isinf(*number)) return *number > 0 ? "+Inf" : "-Inf";
  return *number;
}

json::value json_error(const Error& error) {
  if (!error) return nullptr;
  return json::object{{"code", name(error.code)}, {"text", json_text(error.text)}};
}

json::value json_text(std::string_view text) {
  return json::value(as_utf8(text));
}

std::string_view mode_name(engine::StageMode mode) {
  switch (mode) {
    case engine::StageMode::polled:
      return "polled";
    case engine::StageMode::watched:
      return "watched";
    case engine::StageMode::done:
      break;
  }
  return "done";
}

}  // namespace slosonde::exporter
