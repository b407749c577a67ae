#include "probe/base/time.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <utility>

namespace slosonde {
namespace {

struct Unit {
  std::string_view name;
  int64_t ns;
};

constexpr std::array<Unit, 7> kUnits = {{{"d", 86'400'000'000'000},
                                         {"h", 3'600'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"s", 1'000'000'000},
                                         {"ms", 1'000'000},
                                         {"us", 1'000},
                                         {"ns", 1}}};
constexpr double kLongest_ns = 100.0 * 365.25 * 86'400e9;

}  // namespace

std::string format_duration(Duration d) {
  const int64_t ns = d.count();
  if (ns == 0) return "0s";
  for (const Unit& unit : kUnits)
    if (ns % unit.ns == 0 && (unit.ns < 1'000'000'000 || ns / unit.ns != 0))
      return std::to_string(ns / unit.ns) + std::string(unit.name);
  return std::to_string(ns) + "ns";
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (problem != std::errc{} || rest == text.data()) return std::nullopt;
  const std::string_view unit_name(rest, static_cast<size_t>(end - rest));
  for (const Unit& unit : kUnits) {
    if (unit.name != unit_name) continue;
    const double ns = value * static_cast<double>(unit.ns);
    if (!std::isfinite(ns) || std::fabs(ns) > kLongest_ns) return std::nullopt;
    return Duration(std::llround(ns));
  }
  return std::nullopt;
}

std::string format_utc(Instant t) {
  const int64_t ns = unix_ns(t);
  int64_t secs = ns / 1'000'000'000;
  int64_t rest = ns % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --secs;
  }
  const auto when = static_cast<std::time_t>(secs);
  std::tm parts{};
  gmtime_r(&when, &parts);
  std::array<char, 64> text{};
  const size_t used = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(rest / 1'000'000));
  return std::string(text.data(), used) + fraction.data();
}

}  // namespace slosonde
