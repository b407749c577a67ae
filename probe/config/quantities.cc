#include "probe/config/quantities.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <string>

#include "probe/base/ascii.h"

namespace slosonde::config {
namespace {

constexpr int64_t kWhole_ppb = 1'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Parts {
  std::string_view number;  // digits with at most one dot; may be empty
  std::string_view unit;    // the rest
};

Parts split(std::string_view text) {
  size_t end = 0;
  bool dot = false;
  while (end < text.size() && (is_digit(text[end]) || (text[end] == '.' && !dot))) dot |= text[end++] == '.';
  return {text.substr(0, end), text.substr(end)};
}

tl::unexpected<Mistake> mistake(Rule rule, std::string message) {
  return tl::unexpected(Mistake{rule, std::move(message)});
}

// What would be right when the unit is missing: the number with two usual units.
tl::unexpected<Mistake> unit_missing(const Scalar& scalar, std::string_view number, std::string_view one,
                                     std::string_view other, std::string_view all) {
  std::string message = scalar.shown + " has no unit; ";
  if (!scalar.outside)
    message += "write " + std::string(number) + std::string(one) + " or " + std::string(number) + std::string(other);
  else
    message += "it needs one";
  return mistake(Rule::missing_unit, message + " (units: " + std::string(all) + ")");
}

struct Spelling {
  std::string_view lower_case;
  std::string_view unit;
};

constexpr std::array<Spelling, 23> kDurationSpellings = {
    {{"s", "s"},   {"sec", "s"},   {"secs", "s"},    {"second", "s"},  {"seconds", "s"}, {"m", "m"},
     {"min", "m"}, {"mins", "m"},  {"minute", "m"},  {"minutes", "m"}, {"h", "h"},       {"hr", "h"},
     {"hrs", "h"}, {"hour", "h"},  {"hours", "h"},   {"d", "d"},       {"day", "d"},     {"days", "d"},
     {"ms", "ms"}, {"msec", "ms"}, {"millis", "ms"}, {"usec", "us"},   {"nsec", "ns"}}};
constexpr std::array<Spelling, 12> kBytesSpellings = {{{"b", "B"},
                                                       {"byte", "B"},
                                                       {"bytes", "B"},
                                                       {"k", "KiB"},
                                                       {"kb", "KiB"},
                                                       {"kib", "KiB"},
                                                       {"m", "MiB"},
                                                       {"mb", "MiB"},
                                                       {"mib", "MiB"},
                                                       {"g", "GiB"},
                                                       {"gb", "GiB"},
                                                       {"gib", "GiB"}}};

std::string_view meant_unit(std::string_view unit, std::span<const Spelling> spellings) {
  std::string plain;
  for (const char c : unit)
    if (c != ' ') plain += ascii_lower(c);
  for (const Spelling& spelling : spellings)
    if (spelling.lower_case == plain) return spelling.unit;
  return {};
}

tl::unexpected<Mistake> unit_unknown(const Scalar& scalar, const Parts& parts, std::span<const Spelling> spellings,
                                     std::string_view all) {
  const std::string_view meant = meant_unit(parts.unit, spellings);
  std::string message = scalar.shown + " has an unknown unit; ";
  if (meant.empty() || scalar.outside)
    message += "the units are " + std::string(all);
  else
    message += "did you mean " + std::string(parts.number) + std::string(meant) + "? (units: " + std::string(all) + ")";
  return mistake(Rule::unknown_unit, std::move(message));
}

// "1m30s" as one number and one unit: "90s"; empty when it is no such thing.
std::string in_one_unit(std::string_view text) {
  Duration sum{};
  int parts = 0;
  while (!text.empty()) {
    const auto [number, rest] = split(text);
    const size_t unit = std::min(rest.find_first_of("0123456789."), rest.size());
    const auto part = parse_duration(text.substr(0, number.size() + unit));
    if (!part || *part < Duration::zero() || unit == 0) return {};
    sum += *part;
    ++parts;
    text.remove_prefix(number.size() + unit);
  }
  return parts > 1 ? format_duration(sum) : std::string();
}

// `digits` times 10^-point, scaled by 10^power, exactly; nothing when that is no whole number or too large.
std::optional<int64_t> scaled(std::string_view number, int power) {
  const size_t dot = number.find('.');
  const std::string_view whole = number.substr(0, dot);
  std::string_view fraction = dot == std::string_view::npos ? std::string_view{} : number.substr(dot + 1);
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (whole.size() + fraction.size() == 0 || fraction.size() > static_cast<size_t>(power)) return std::nullopt;
  std::string digits = std::string(whole) + std::string(fraction);
  digits.append(static_cast<size_t>(power) - fraction.size(), '0');
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

tl::expected<int64_t, Mistake> read_share(const Scalar& scalar) {
  const auto [number, unit] = split(scalar.text);
  if (number.empty() || number == "." || (!unit.empty() && unit != "%"))
    return mistake(Rule::wrong_type, scalar.shown + " is no share; write it as 99.9% or 0.999");
  const std::optional<int64_t> ppb = scaled(number, unit == "%" ? 7 : 9);
  if (!ppb)
    return mistake(Rule::out_of_range, scalar.shown +
                                           " is too fine or too large; a share has at most nine decimal "
                                           "places (seven with %) and lies between 0% and 100%");
  if (*ppb > kWhole_ppb) {
    const bool percent_meant = unit.empty() && *ppb <= 100 * kWhole_ppb && !scalar.outside;
    return mistake(Rule::out_of_range,
                   scalar.shown + " is over 100%; " +
                       (percent_meant ? "did you mean " + std::string(scalar.text) + "%?" : "write 99.9% or 0.999"));
  }
  return *ppb;
}

tl::expected<Duration, Mistake> read_duration(const Scalar& scalar) {
  static constexpr std::array<std::string_view, 7> kUnits = {"ns", "us", "ms", "s", "m", "h", "d"};
  static constexpr std::string_view kAll = "ns us ms s m h d";
  if (const std::optional<Duration> duration = parse_duration(scalar.text)) {
    if (*duration >= Duration::zero()) return *duration;
    return mistake(Rule::out_of_range, scalar.shown + " is negative; a duration is 0s or longer");
  }
  const auto [number, unit] = split(scalar.text);
  if (number.empty() || number == ".")
    return mistake(Rule::wrong_type, scalar.shown + " is no duration; write 500ms, 5s or 30d");
  if (unit.empty()) return unit_missing(scalar, number, "s", "ms", kAll);
  if (const std::string one = in_one_unit(scalar.text); !one.empty())
    return mistake(Rule::unknown_unit, scalar.shown +
                                           " has more than one unit; a duration is one number and one unit, as " +
                                           (scalar.outside ? "90s" : one));
  for (const std::string_view known : kUnits)
    if (known == unit) return mistake(Rule::out_of_range, scalar.shown + " is too long; at most 36525d");
  return unit_unknown(scalar, {number, unit}, kDurationSpellings, kAll);
}

tl::expected<uint64_t, Mistake> read_bytes(const Scalar& scalar) {
  static constexpr std::array<std::string_view, 4> kUnits = {"B", "KiB", "MiB", "GiB"};
  static constexpr std::string_view kAll = "B KiB MiB GiB";
  const auto [number, unit] = split(scalar.text);
  if (number.empty() || number == ".")
    return mistake(Rule::wrong_type, scalar.shown + " is no size; write 512B, 64KiB or 10MiB");
  if (unit.empty()) return unit_missing(scalar, number, "B", "KiB", kAll);
  double factor = 1;
  for (const std::string_view known : kUnits) {
    if (known == unit) {
      double count = 0;
      std::from_chars(number.data(), number.data() + number.size(), count, std::chars_format::fixed);
      count *= factor;
      constexpr double kLargest = 1e15;
      if (count > kLargest || count != std::floor(count))
        return mistake(Rule::out_of_range, scalar.shown + " is no whole number of bytes, or over 1e15 of them");
      return static_cast<uint64_t>(count);
    }
    factor *= 1024;
  }
  return unit_unknown(scalar, {number, unit}, kBytesSpellings, kAll);
}

}  // namespace slosonde::config
