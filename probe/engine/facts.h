// What the judge has decided, as values: the one way from it to orders, places, lists and counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "probe/base/time.h"
#include "probe/engine/run.h"
#include "probe/slo/counts.h"

namespace slosonde::engine {

// All are about the run that was stepped, in the order in which they came about. What else is to be known stands in the
// run, and does not change before the facts have been taken.

struct AttemptStarts {  // of a stage: its deadline and number are in the stage
  size_t stage;
};
struct AttemptEnds {  // before it has answered
  size_t stage;
};
struct StepStarts {  // of `finally`
  size_t step;
};
struct StepEnds {  // before it has answered
  size_t step;
};
struct CleanedUp {};  // the last step of `finally` has ended

// Something of the run (`what`: a stage, or behind the stages a latency SLO) waits until [due, until] is covered.
struct AwaitsSight {
  size_t watch;
  Instant until;
  size_t what;
};
struct SightSettled {  // waits no more
  size_t watch;
  Instant until;
  size_t what;
};

struct AsksWitnesses {};  // something of the run waits for what they say in their next round

struct Sighted {
  size_t stage;
  Sighting kind;
};
struct Hopped {  // the stage's hop is known
  size_t stage;
};
struct StageDecided {  // once
  size_t stage;
  slo::Event event;
  Instant at;
};
struct StageFinal {  // once: its verdict is known, late or lost told apart
  size_t stage;
};
struct LatencyDecided {  // once
  size_t slo;
  slo::Event event;
  Instant at;
};

struct PlaceFree {};   // the run counts towards max_in_flight no more; once
struct RunDecided {};  // once: verdict and instant are in the run
struct RunOver {};     // once, the last one

using Fact =
    std::variant<AttemptStarts, AttemptEnds, StepStarts, StepEnds, CleanedUp, AwaitsSight, SightSettled, AsksWitnesses,
                 Sighted, Hopped, StageDecided, StageFinal, LatencyDecided, PlaceFree, RunDecided, RunOver>;
using Facts = std::vector<Fact>;

}  // namespace slosonde::engine
