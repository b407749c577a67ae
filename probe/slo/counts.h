// What was decided, counted by kind. Only integers: a share is computed where it is shown, never summed or averaged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace slosonde::slo {

// What one decided slot of the schedule is to one SLI. Good and bad are judged; of the others nobody can say.
enum class Event : uint8_t {
  good,
  bad,
  blind,        // our own side could not see
  probe_fault,  // the probe could not act
  missed,       // the slot was never started
  // A declared maintenance window or drill covers it: in no figure, kept apart with what it would have been.
  excluded_unjudged,
  excluded_good,
  excluded_bad,
};

constexpr size_t kEvents = static_cast<size_t>(Event::excluded_bad) + 1;

// What an event is where an exclusion covers it.
constexpr Event excluded(Event event) {
  if (event == Event::good || event == Event::excluded_good) return Event::excluded_good;
  return event == Event::bad || event == Event::excluded_bad ? Event::excluded_bad : Event::excluded_unjudged;
}

struct Counts {
  uint64_t good = 0;
  uint64_t bad = 0;
  uint64_t blind = 0;
  uint64_t probe_fault = 0;
  uint64_t missed = 0;
  uint64_t excluded_unjudged = 0;
  uint64_t excluded_good = 0;
  uint64_t excluded_bad = 0;

  // N of every formula: the events that could be judged.
  constexpr uint64_t judged() const { return good + bad; }

  // Everything decided, the excluded ones among them.
  constexpr uint64_t total() const { return judged() + blind + probe_fault + missed + excluded(); }
  constexpr uint64_t excluded() const { return excluded_unjudged + excluded_good + excluded_bad; }

  // judged / (judged + blind + probe_fault + missed): how much of what should have been seen was seen. In [0, 1];
  // nothing when nothing was decided outside exclusions.
  std::optional<double> coverage() const;

  // good / judged: the SLI itself. In [0, 1]; nothing when nothing was judged.
  std::optional<double> good_share() const;

  // The same as though nothing had been excluded.
  Counts with_excluded() const;

  uint64_t& operator[](Event event);
  uint64_t operator[](Event event) const;

  Counts& operator+=(const Counts& other);
  Counts& operator-=(const Counts& other);  // `other` must be part of this: unsigned
  friend Counts operator+(Counts a, const Counts& b) { return a += b; }
  friend bool operator==(const Counts&, const Counts&) = default;
};

}  // namespace slosonde::slo
