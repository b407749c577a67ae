#include "probe/config/exclusions.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "probe/config/builder.h"
#include "probe/config/rules.h"
#include "probe/config/suggest.h"
#include "probe/config/time_zones.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

std::string written_entry(const Values& values, std::string_view key, size_t index) {
  const boost::json::value shown = values.shown();
  const boost::json::value& list = shown.as_object().at(key);
  const boost::json::value& entry = list.is_array() ? list.get_array().at(index) : list;
  return std::string(entry.as_string().c_str());
}

constexpr std::string_view kTimeExample = "write it with its offset from UTC, as 2026-11-22T01:00:00+09:00";

void complain(const Values& values, std::string_view key, std::string message, Rule rule, Problems& problems) {
  problems.add(values.position(key), values.path(key), std::move(message), rule);
}

// An entry of a list of texts, as it is written in the file: what it stands for may be secret.
std::string called_entry(const Values& values, std::string_view key, size_t index) {
  return quoted(written_entry(values, key, index));
}

std::optional<slo::WallTime> time_of(const Values& values, std::string_view key, Problems& problems) {
  const auto time = slo::parse_wall_time(values.text(key));
  if (time) return time;
  complain(values, key, called(values, key) + " is no time; " + std::string(kTimeExample), Rule::wall_time, problems);
  return std::nullopt;
}

std::optional<slo::Window> span_of(const Values& values, Problems& problems) {
  if (values.has("end") == values.has("for")) {
    complain(values, values.has("for") ? "for" : "start",
             values.has("end") ? "both `end` and `for` say when it is over; keep one of them"
                               : "nothing says when it is over; give `end` or `for`",
             Rule::exclusion_when, problems);
    return std::nullopt;
  }
  const auto start = time_of(values, "start", problems);
  const auto end = values.has("end") ? time_of(values, "end", problems) : start;
  if (!start || !end) return std::nullopt;
  const slo::WallSpan span{*start, values.has("end") ? *end : *start + values.duration("for")};
  if (span.to > span.from && span.to - span.from <= kLongestExclusion) return span;
  complain(values, "end",
           span.to <= span.from ? "it ends before it begins; exchange `start` and `end`"
                                : "it is longer than " + std::string(kLongestExclusionText) +
                                      ", which is no maintenance; shorten it, or take the transaction out",
           Rule::exclusion_length, problems);
  return std::nullopt;
}

std::optional<Duration> time_of_day(const Values& values, std::string_view key, Problems& problems) {
  const auto time = slo::parse_time_of_day(values.text(key));
  if (time) return time;
  complain(values, key, called(values, key) + " is no time of day; write hours and minutes in quotes, as \"02:00\"",
           Rule::time_of_day, problems);
  return std::nullopt;
}

bool set_days(const Values& weekly, slo::WeeklyWindow& window, Problems& problems) {
  bool good = true;
  for (size_t i = 0; i < weekly.texts("days").size(); ++i) {
    const std::string& day = weekly.texts("days")[i];
    const auto found = std::find(slo::kWeekdays.begin(), slo::kWeekdays.end(), day);
    if (found != slo::kWeekdays.end()) {
      window.days[static_cast<size_t>(found - slo::kWeekdays.begin())] = true;
      continue;
    }
    good = false;
    complain(
        weekly, "days",
        called_entry(weekly, "days", i) + " is no day; " + suggestion(written_entry(weekly, "days", i), slo::kWeekdays),
        Rule::weekday, problems);
  }
  return good;
}

std::optional<slo::Window> weekly_of(const Values& weekly, Problems& problems) {
  slo::WeeklyWindow window;
  const bool days_fit = set_days(weekly, window, problems);
  const auto from = time_of_day(weekly, "from", problems);
  const auto to = time_of_day(weekly, "to", problems);
  window.zone = find_zone(weekly.text("time_zone"));
  if (window.zone == nullptr) {
    const std::string what = called(weekly, "time_zone") + " is no time zone of this system; ";
    const std::string written(Builder::written(weekly, "time_zone"));
    // Of abbreviations one looks like another, hours away.
    const bool place = written.find('/') != std::string::npos;
    complain(weekly, "time_zone",
             what + (zone_names().empty() ? "it has none at all: install tzdata"
                     : place              ? suggestion(written, zone_names())
                                          : "name a place, as Asia/Seoul or Europe/Berlin (or UTC)"),
             Rule::time_zone, problems);
  }
  if (!days_fit || !from || !to || window.zone == nullptr) return std::nullopt;
  window.from = *from;
  window.to = *to;
  return window;
}

void check_transactions(const Values& exclusion, const Whole& whole, Problems& problems) {
  const std::vector<Values>& transactions = whole.root.blocks("transactions");
  const std::vector<std::string> names = names_of(transactions);
  if (names.size() != transactions.size()) return;  // one that is missing may be one that could not be read
  for (size_t i = 0; i < exclusion.texts("transactions").size(); ++i) {
    if (index_of(transactions, exclusion.texts("transactions")[i])) continue;
    complain(exclusion, "transactions",
             "there is no transaction " + called_entry(exclusion, "transactions", i) + "; " +
                 suggestion(written_entry(exclusion, "transactions", i), names),
             Rule::unknown_transaction, problems);
  }
}

}  // namespace

std::optional<slo::Window> window_of(const Values& exclusion, Problems& problems) {
  const bool once = exclusion.has("start");
  if (once && !exclusion.has("weekly")) return span_of(exclusion, problems);
  const bool further = once || exclusion.has("end") || exclusion.has("for");
  if (exclusion.has("weekly") && !further) return weekly_of(exclusion.block("weekly"), problems);
  const char* const key = exclusion.has("weekly") ? "weekly" : "name";
  complain(exclusion, key, "it says when with `start` and `end` or `for`, or else with `weekly`; give one of the two",
           Rule::exclusion_when, problems);
  return std::nullopt;
}

void check_exclusions(const Whole& whole, Problems& problems) {
  for (const Values& exclusion : whole.root.blocks("exclusions")) {
    check_transactions(exclusion, whole, problems);
    if (Builder::is_complete(exclusion)) (void)window_of(exclusion, problems);
  }
}

}  // namespace slosonde::config
