// What really happened, in the words the world and the oracle have in common. Plain numbers.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "tests/simulation/swarm/scenario.h"

namespace slosonde::swarm {

enum class Verdict : uint8_t { on_time, late, lost, corrupt, failed, skipped, unseen };
enum class RunVerdict : uint8_t { good, bad, blind, probe_fault, missed, excluded };
constexpr size_t kRunVerdicts = 6;

enum class Answer : uint8_t {
  held,
  not_yet,  // a valid answer, without what was asked for
  failed,
  own_fault
};

// One attempt of a done or polled stage.
struct Attempt {
  uint32_t stage = 0;
  int life = 0;      // which process made it
  Time started = 0;  // the turn
  bool answered = false;
  Answer answer = Answer::failed;
  Time received = 0, fed = 0;  // as stamped; when the core was told
};

// A text with the run's marker, as it reached the core.
struct Sighted {
  size_t watch = 0;
  uint64_t item = 0;  // its place in what is watched: the same for a redelivery
  int life = 0;
  Time lo = 0, hi = 0, fed = 0;
  bool corrupt = false;
  uint64_t order = 0;  // in which all that was handed over was
};

// How the core showed a run when it closed.
struct Closed {
  int life = 0;
  Time turn = 0;
  RunVerdict verdict = RunVerdict::good;
  Time decided = 0;
  std::vector<Verdict> stages;
  std::vector<Time> stage_decided;
};

struct RunFacts {
  size_t transaction = 0;
  uint64_t number = 0;
  Time due = 0;
  int life = 0;
  Time started = 0;
  std::vector<Attempt> attempts;
  std::vector<Sighted> sighted;
  std::vector<Closed> closed;
  bool pipeline_whole = true;  // all it did with the run was right and in time: for a law
};

enum class Sight : uint8_t { in_sight, place_gone, own_fault };

struct WindowReading {
  Time window = 0;
  uint64_t good = 0, bad = 0, blind = 0, probe_fault = 0, missed = 0;
  uint64_t excluded_unjudged = 0, excluded_good = 0, excluded_bad = 0;
  double burn_rate = -1, coverage = -1;  // -1: none
};
struct AlertReading {
  Time long_window = 0;
  bool active = false;
  Time since = 0;  // 0: never fired
};
struct SloReading {
  WindowReading period;
  std::vector<WindowReading> windows;
  double budget = -1e9, budget_observed = -1e9;  // -1e9: none
  std::vector<AlertReading> alerts;
};

// A moment on the line of what happened: which process, which of its turns, and for which instant it was that it did
// something there.
struct Step {
  int life = 0;
  Time turn = 0, q = 0;
  friend auto operator<=>(const Step&, const Step&) = default;
};

}  // namespace slosonde::swarm
