// The local time of one time zone, as plain data: which offset its clocks have, from when on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace slosonde::slo {

struct ZoneOffset {
  int64_t from_s = 0;    // Unix time
  int64_t offset_s = 0;  // east of UTC
  friend bool operator==(const ZoneOffset&, const ZoneOffset&) = default;
};

struct Zone {
  std::string name;
  std::vector<ZoneOffset> offsets;  // ascending, at least one; the first counts for all time before it, too

  int64_t offset_at(int64_t unix_s) const;

  // The Unix time at which the zone's clocks show `local_s` (seconds since 1970 began, as they show it). What they
  // show twice, when they are put back, is the earlier or the later instant, as asked; what they never show, when they
  // are put forward, is the instant of the change.
  enum class Twice : uint8_t { earlier, later };
  int64_t unix_of(int64_t local_s, Twice twice) const;

  friend bool operator==(const Zone&, const Zone&) = default;
};

}  // namespace slosonde::slo
