#include "probe/slo/window.h"

#include <algorithm>
#include <chrono>

namespace slosonde::slo {
namespace {

constexpr int64_t kDay_s = 86'400;
constexpr int64_t kSecond_ns = 1'000'000'000;

int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

int64_t whole_seconds(WallTime t) {
  return floor_div(unix_ns(t), kSecond_ns);
}

int64_t local_day(const Zone& zone, WallTime t) {
  const int64_t s = whole_seconds(t);
  return floor_div(s + zone.offset_at(s), kDay_s);
}

// Of a day counted from 1970-01-01, a Thursday.
size_t weekday(int64_t day) {
  return static_cast<size_t>(((day + 4) % 7 + 7) % 7);
}

WallSpan span_of(const WeeklyWindow& weekly, int64_t day) {
  const int64_t begin_s = day * kDay_s + weekly.from.count() / kSecond_ns;
  const int64_t end_s = (day + (weekly.to > weekly.from ? 0 : 1)) * kDay_s + weekly.to.count() / kSecond_ns;
  return {instant_from_unix_ns(weekly.zone->unix_of(begin_s, Zone::Twice::earlier) * kSecond_ns),
          instant_from_unix_ns(weekly.zone->unix_of(end_s, Zone::Twice::later) * kSecond_ns)};
}

// `size` digits.
std::optional<int> take_number(std::string_view& text, size_t size) {
  if (text.size() < size) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < size; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(size);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// "01:02", or "01:02:03" with `seconds`.
std::optional<Duration> take_clock(std::string_view& text, bool with_seconds) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  Duration time = std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  if (!with_seconds) return time;
  if (!take(text, ":")) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *second > 59) return std::nullopt;
  return time + std::chrono::seconds(*second);
}

}  // namespace

void append_spans(const Window& window, WallTime from, WallTime to, std::vector<WallSpan>& spans) {
  const auto touches = [&](const WallSpan& span) { return span.from <= to && from < span.to; };
  if (const auto* once = std::get_if<WallSpan>(&window)) {
    if (touches(*once)) spans.push_back(*once);
    return;
  }
  const auto& weekly = std::get<WeeklyWindow>(window);
  from = std::max(from, to - kMostLookedAt);
  // One that began the day before may last until now.
  for (int64_t day = local_day(*weekly.zone, from) - 1; day <= local_day(*weekly.zone, to); ++day) {
    if (!weekly.days[weekday(day)]) continue;
    if (const WallSpan span = span_of(weekly, day); touches(span)) spans.push_back(span);
  }
}

std::optional<WallSpan> present_or_next(const Window& window, WallTime now) {
  if (const auto* once = std::get_if<WallSpan>(&window)) return now < once->to ? std::optional(*once) : std::nullopt;
  const auto& weekly = std::get<WeeklyWindow>(window);
  const int64_t today = local_day(*weekly.zone, now);
  for (int64_t day = today - 1; day <= today + 7; ++day) {
    if (!weekly.days[weekday(day)]) continue;
    if (const WallSpan span = span_of(weekly, day); now < span.to) return span;
  }
  return std::nullopt;
}

std::optional<WallTime> parse_wall_time(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || *year < 2000 || *year > 2099 || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !take(text, "Tt ")) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  const auto clock = take_clock(text, true);
  if (!date.ok() || !clock) return std::nullopt;
  WallTime t = Instant(std::chrono::sys_days(date).time_since_epoch() + *clock);
  if (take(text, ".")) {
    Duration unit = std::chrono::milliseconds(100);
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), unit /= 10)
      t += unit * (text.front() - '0');
  }
  if (text == "Z" || text == "z") return t;
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto offset = take_clock(text, false);
  if (!offset || !text.empty()) return std::nullopt;
  return west ? t + *offset : t - *offset;
}

std::optional<Duration> parse_time_of_day(std::string_view text) {
  const auto time = take_clock(text, false);
  return time && text.empty() ? time : std::nullopt;
}

}  // namespace slosonde::slo
