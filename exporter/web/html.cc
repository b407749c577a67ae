#include "exporter/web/html.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace slosonde::exporter {
namespace {

template <class... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  char text[64];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

std::string without_trailing_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string shown_seconds(double seconds) {
  if (std::isinf(seconds)) return "∞";
  if (seconds < 0.01) return formatted("%.2f ms", seconds * 1e3);
  if (seconds < 0.1) return formatted("%.1f ms", seconds * 1e3);
  if (seconds < 0.9995) return formatted("%.0f ms", seconds * 1e3);
  if (seconds < 9.995) return formatted("%.2f s", seconds);
  if (seconds < 59.95) return formatted("%.1f s", seconds);
  const long whole = std::lround(seconds);
  if (whole < 3600) return formatted("%ld m %02ld s", whole / 60, whole % 60);
  return formatted("%ld h %02ld m", whole / 3600, whole / 60 % 60);
}

std::string shown_ago(Duration age) {
  const auto whole = static_cast<long>(std::max(seconds(age), 0.0));
  if (whole < 1) return "now";
  if (whole < 60) return formatted("%ld s ago", whole);
  if (whole < 3600) return formatted("%ld m ago", whole / 60);
  if (whole < 86400) return formatted("%ld h ago", whole / 3600);
  return formatted("%ld d ago", whole / 86400);
}

std::string shown_percent(double ratio, int decimals) {
  return without_trailing_zeros(formatted("%.*f", decimals, ratio * 100)) + "\u202F%";
}

std::string shown_count(uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += "\u202F";
    out += digits[i];
  }
  return out;
}

std::string shown_factor(double value) {
  if (value == 0) return "0";
  const int digits_before = static_cast<int>(std::floor(std::log10(std::abs(value)))) + 1;
  return without_trailing_zeros(formatted("%.*f", std::clamp(3 - digits_before, 0, 4), value));
}

std::string time_ago(Instant instant, Instant now, Duration wall_offset) {
  const std::string absolute = format_utc(instant + wall_offset);
  return "<time datetime=\"" + absolute + "\" title=\"" + absolute + "\">" + shown_ago(now - instant) + "</time>";
}

std::string tag(std::string_view style, std::string_view text) {
  return "<span class=\"tag " + std::string(style) + "\">" + escaped(text) + "</span>";
}

}  // namespace slosonde::exporter
