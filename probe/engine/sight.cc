#include "probe/engine/sight.h"

#include <algorithm>
#include <utility>

namespace slosonde::engine {

Sight::Sight(const Plan& plan, Instant since) : since_(since), places_(plan.watches.size()) {
  for (uint32_t t = 0; t < plan.transactions.size(); ++t) {
    const auto& stages = plan.transactions[t].stages;
    for (size_t i = 0; i < stages.size(); ++i) {
      if (stages[i].mode == StageMode::watched) places_[stages[i].watch].attached.push_back({t, i});
    }
  }
}

bool Sight::place_failed(size_t watch) const {
  const WatchStatus& status = places_[watch].status;
  return status.state == WatchState::out_of_sight && !is_own_fault(status.error.code);
}

bool Sight::unbroken(size_t watch, Instant from) const {
  const Place& place = places_[watch];
  if (place.status.state != WatchState::in_sight) return false;
  const std::vector<TimeSpan>& spans = place.coverage.spans();
  return !spans.empty() && from >= spans.back().from;
}

bool Sight::all_reported() const {
  const auto reported = [](const Place& place) { return place.status.state != WatchState::starting; };
  return std::all_of(places_.begin(), places_.end(), reported);
}

std::vector<WatchStatus> Sight::statuses() const {
  std::vector<WatchStatus> all;
  all.reserve(places_.size());
  for (const Place& place : places_) all.push_back(place.status);
  return all;
}

Sight::Gained Sight::covered(size_t watch, Instant from, Instant to, Instant now, Instant oldest) {
  Place& place = places_[watch];
  place.told_at = place.seen_at = now;
  place.failed_since = kNever;
  const TimeSpan whole = place.coverage.add(from, std::min(to, now));
  Gained gained;
  gained.first = !std::exchange(place.covered_once, true);
  gained.back = place.status.state == WatchState::out_of_sight;
  place.status.state = WatchState::in_sight;
  place.status.error = {};
  if (whole.to >= whole.from && (!place.status.covered_to || *place.status.covered_to < whole.to)) {
    place.status.covered_to = whole.to;
  }
  place.coverage.forget_before(oldest);
  gained.proceed = take_proven(place, whole);
  return gained;
}

Sight::Lost Sight::out_of_sight(size_t watch, Error error, Instant now) {
  Place& place = places_[watch];
  place.told_at = now;
  Lost lost;
  lost.news = place.status.state != WatchState::out_of_sight;
  place.status.state = WatchState::out_of_sight;
  place.status.error = std::move(error);
  if (!place_failed(watch)) {
    place.failed_since = kNever;
    return lost;
  }
  place.failed_since = std::min(place.failed_since, now);
  for (const Waiting& one : place.waiting) lost.proceed.push_back(one.run);
  return lost;
}

std::vector<RunId> Sight::waiting() const {
  std::vector<RunId> all;
  for (const Place& place : places_) {
    for (const Waiting& one : place.waiting) all.push_back(one.run);
  }
  return all;
}

void Sight::take_over(size_t watch, Sight& before, size_t was) {
  Place& place = places_[watch];
  std::vector<Attached> attached = std::move(place.attached);
  place = std::exchange(before.places_[was], Place{});
  place.attached = std::move(attached);
  place.waiting.clear();
}

std::vector<RunId> Sight::take_proven(Place& place, const TimeSpan& covered) {
  std::vector<RunId> proven;
  auto at = place.waiting.lower_bound({covered.from, Instant::min(), {}, 0});
  while (at != place.waiting.end() && at->due <= covered.to) {
    if (at->until > covered.to) {
      ++at;
      continue;
    }
    proven.push_back(at->run);
    at = place.waiting.erase(at);
  }
  return proven;
}

}  // namespace slosonde::engine
