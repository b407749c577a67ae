#include "probe/config/time_zones.h"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <exception>

namespace slosonde::config {
namespace {

constexpr date::sys_seconds kFirst = date::sys_days(date::year(2000) / 1 / 1);
constexpr date::sys_seconds kLast = date::sys_days(date::year(2100) / 1 / 1);
constexpr size_t kMostOffsets = 1000;  // Morocco, which changes four times a year, has 400

// The library throws where the system's files are not there, or are not as it knows them.
std::vector<std::string> read_names() {
  std::vector<std::string> names;
  try {
    for (const date::time_zone& zone : date::get_tzdb().zones) names.push_back(zone.name());
  } catch (const std::exception&) {
    names.clear();
  }
  std::sort(names.begin(), names.end());
  return names;
}

slo::Zone read_zone(const date::time_zone& zone) {
  slo::Zone made{zone.name(), {}};
  for (date::sys_seconds t = kFirst; t < kLast && made.offsets.size() < kMostOffsets;) {
    const date::sys_info info = zone.get_info(t);
    const int64_t offset_s = info.offset.count();
    if (made.offsets.empty() || made.offsets.back().offset_s != offset_s) {
      made.offsets.push_back({t.time_since_epoch().count(), offset_s});
    }
    if (info.end <= t) break;
    t = info.end;
  }
  return made;
}

}  // namespace

const std::vector<std::string>& zone_names() {
  static const std::vector<std::string> names = read_names();
  return names;
}

std::shared_ptr<const slo::Zone> find_zone(std::string_view name) {
  const std::vector<std::string>& names = zone_names();
  if (!std::binary_search(names.begin(), names.end(), name)) return nullptr;
  try {
    return std::make_shared<const slo::Zone>(read_zone(*date::locate_zone(std::string(name))));
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace slosonde::config
