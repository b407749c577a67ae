// What can be seen: which times each watch has covered, and what waits for it to cover more.
#pragma once

#include <compare>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "probe/base/error.h"
#include "probe/base/time.h"
#include "probe/engine/coverage.h"
#include "probe/engine/plan.h"
#include "probe/engine/run.h"
#include "probe/engine/snapshot.h"

namespace slosonde::engine {

// A stage that a watch serves.
struct Attached {
  uint32_t transaction = 0;
  size_t stage = 0;
};

// Something of a run (`what`: a stage, or behind the stages a latency SLO) that waits until [due, until] is covered.
struct Waiting {
  Instant due{}, until{};
  RunId run;
  size_t what = 0;
  friend auto operator<=>(const Waiting&, const Waiting&) = default;
};

// By the watch's index in the plan. Coverage is never ahead of what was reported, and what waits is of open runs.
// Engine thread.
class Sight {
 public:
  // `since`: this process looks from then on.
  Sight(const Plan& plan, Instant since);

  bool known(size_t watch) const { return watch < places_.size(); }
  const std::vector<Attached>& attached(size_t watch) const { return places_[watch].attached; }
  const WatchStatus& status(size_t watch) const { return places_[watch].status; }
  bool covers(size_t watch, Instant from, Instant to) const { return places_[watch].coverage.covers(from, to); }
  // What arrived from `from` on and is handed over only now arrived at this instant or later: all before is covered.
  Instant handed_over_since(size_t watch, Instant from) const {
    const auto covered_to = places_[watch].coverage.reach(from);
    return covered_to ? *covered_to + Duration(1) : Instant::min();
  }
  // Whether all from `from` up to what was reported last is covered, and it sees.
  bool unbroken(size_t watch, Instant from) const;
  // When it last reported what it covers or that it sees nothing.
  Instant told_at(size_t watch) const { return places_[watch].told_at; }
  // Out of sight, and not by a fault of ours: what is not seen there has failed.
  bool place_failed(size_t watch) const;
  // The same for what should have been seen by `limit`: of a time when nobody looked the place's present state says
  // nothing.
  bool place_failed(size_t watch, Instant limit) const { return limit >= since_ && place_failed(watch); }
  // Since when that is so; and when it was last told to see anything.
  Instant failed_since(size_t watch) const { return places_[watch].failed_since; }
  Instant seen_at(size_t watch) const { return places_[watch].seen_at; }
  // Whether runs need not wait for it: it has covered something, or its place fails, which is theirs to tell.
  bool ready(size_t watch) const { return places_[watch].covered_once || place_failed(watch); }
  bool all_reported() const;
  std::vector<WatchStatus> statuses() const;

  // Reports, at `now`. Coverage that ended before `oldest`, when the oldest open run was due, is forgotten.
  struct Gained {
    bool first = false;          // it had covered nothing before
    bool back = false;           // it was out of sight
    std::vector<RunId> proceed;  // runs of which something waited for this
  };
  Gained covered(size_t watch, Instant from, Instant to, Instant now, Instant oldest);
  struct Lost {
    bool news = false;           // it was not out of sight before
    std::vector<RunId> proceed;  // runs of which something waits in vain
  };
  Lost out_of_sight(size_t watch, Error error, Instant now);

  // Goes on with what another Sight knows of the same watch; what waits there is its runs' to tell anew.
  void take_over(size_t watch, Sight& before, size_t was);

  // What a store keeps of a watch, and gives back before anything is reported.
  const Coverage& coverage(size_t watch) const { return places_[watch].coverage; }
  void restore(size_t watch, Instant from, Instant to) { places_[watch].coverage.add(from, to); }

  // All runs of which something waits.
  std::vector<RunId> waiting() const;

  void wait(size_t watch, const Waiting& one) { places_[watch].waiting.insert(one); }
  void settle(size_t watch, const Waiting& one) { places_[watch].waiting.erase(one); }

 private:
  struct Place {
    WatchStatus status;
    Coverage coverage;
    std::vector<Attached> attached;
    std::set<Waiting> waiting;
    bool covered_once = false;
    Instant told_at{}, seen_at = Instant::min(), failed_since = kNever;
  };

  static std::vector<RunId> take_proven(Place& place, const TimeSpan& covered);

  Instant since_;
  std::vector<Place> places_;
};

}  // namespace slosonde::engine
