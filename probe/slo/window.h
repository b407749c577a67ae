// When a declared maintenance window is: times by the wall clock, as people declare them. Pure.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "probe/base/time.h"
#include "probe/slo/zone.h"

namespace slosonde::slo {

// An instant by the wall clock: Unix time, which steps when the clock is set. Not to be compared with an Instant of the
// probe's own line without the offset between the two.
using WallTime = Instant;

// [from, to).
struct WallSpan {
  WallTime from{}, to{};
  friend bool operator==(const WallSpan&, const WallSpan&) = default;
};

// Begins at `from` of local time on each of the days, and ends at `to` of that day, or of the next one where `to` is
// not later. Clocks that are changed in between make it shorter or longer; a beginning or an end that they show twice
// is the one that makes it longer.
struct WeeklyWindow {
  std::array<bool, 7> days{};  // Sunday first
  Duration from{}, to{};       // since midnight, in [0, 24 h), whole seconds
  std::shared_ptr<const Zone> zone;

  friend bool operator==(const WeeklyWindow& a, const WeeklyWindow& b) {
    return a.days == b.days && a.from == b.from && a.to == b.to && *a.zone == *b.zone;
  }
};

using Window = std::variant<WallSpan, WeeklyWindow>;

// What of the window touches [from, to], in the order of time, uncut. At most kMostLookedAt days before `to` are looked
// at.
constexpr Duration kMostLookedAt = std::chrono::hours(24 * 100);
void append_spans(const Window& window, WallTime from, WallTime to, std::vector<WallSpan>& spans);

// The one that `now` is in, or the next one; nothing: it is over.
std::optional<WallSpan> present_or_next(const Window& window, WallTime now);

// RFC 3339 with an offset: "2026-11-22T01:00:00+09:00", "…Z", with or without fractions. Nothing where it is not, or is
// of no year from 2000 to 2099.
std::optional<WallTime> parse_wall_time(std::string_view text);

// "sun", "mon", …: 0 is Sunday.
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

// "HH:MM", from 00:00 to 23:59.
std::optional<Duration> parse_time_of_day(std::string_view text);

}  // namespace slosonde::slo
