#include "exporter/web/json_parts.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <string>

#include "exporter/text.h"
#include "exporter/web/quote.h"

namespace slosonde::exporter {

namespace json = boost::json;

json::value json_time(std::optional<Instant> instant, Duration wall_offset) {
  if (!instant || *instant == kNever) return nullptr;
  return json::value(format_utc(*instant + wall_offset));
}

json::value json_seconds(std::optional<Duration> duration) {
  if (!duration) return nullptr;
  return exact_seconds(*duration);
}

double exact_seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
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

namespace {

// The shortest digits that read back as this number; without an exponent down to a nanosecond, which is our finest.
void append_plain(double value, std::string& out) {
  constexpr double kLeast = 1e-9, kMost = 1e21;
  if (const double size = std::fabs(value); size != 0 && (size < kLeast || size >= kMost)) {
    append_number(value, out);
    return;
  }
  std::array<char, 48> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
  out.append(text.data(), end);
}

void append_json(const json::value& value, std::string& out) {
  if (const auto* object = value.if_object()) {
    char before = '{';
    for (const auto& member : *object) {
      out += before;
      out += json::serialize(json::value(member.key()));
      out += ':';
      append_json(member.value(), out);
      before = ',';
    }
    out += object->empty() ? "{}" : "}";
  } else if (const auto* array = value.if_array()) {
    char before = '[';
    for (const json::value& element : *array) {
      out += before;
      append_json(element, out);
      before = ',';
    }
    out += array->empty() ? "[]" : "]";
  } else if (const auto* number = value.if_double()) {
    append_plain(*number, out);  // finite: json_number() sees to it
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string json_written(const json::value& value) {
  std::string out;
  append_json(value, out);
  return out;
}

}  // namespace slosonde::exporter
