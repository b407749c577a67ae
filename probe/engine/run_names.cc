#include <array>

#include "probe/engine/run.h"
#include "probe/engine/snapshot.h"

namespace slosonde::engine {

namespace {

template <class Enum, size_t n>
std::string_view pick(const std::array<std::string_view, n>& names, Enum value) {
  const auto index = static_cast<size_t>(value);
  return index < n ? names[index] : std::string_view("?");
}

}  // namespace

std::string_view name(RunVerdict verdict) {
  static constexpr std::array<std::string_view, kRunVerdicts> names = {"good",        "bad",    "blind",
                                                                       "probe_fault", "missed", "excluded"};
  return pick(names, verdict);
}

std::string_view name(StageVerdict verdict) {
  static constexpr std::array<std::string_view, kStageVerdicts> names = {"on_time", "late",    "lost",  "corrupt",
                                                                         "failed",  "skipped", "unseen"};
  return pick(names, verdict);
}

std::string_view name(Sighting kind) {
  static constexpr std::array<std::string_view, kSightings> names = {"first",   "late",    "duplicate", "reordered",
                                                                     "corrupt", "foreign", "stale",     "unexpected"};
  return pick(names, kind);
}

std::string_view name(Expectation expect) {
  static constexpr std::array<std::string_view, 3> names = {"some", "exactly_one", "none"};
  return pick(names, expect);
}

std::string_view name(WatchState state) {
  static constexpr std::array<std::string_view, 3> names = {"starting", "in_sight", "out_of_sight"};
  return pick(names, state);
}

}  // namespace slosonde::engine
