#include "probe/engine/held_up.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "probe/engine/starvation.h"

namespace slosonde::engine {

namespace {

constexpr Duration kAskedEvery = std::chrono::milliseconds(50);

}  // namespace

HeldUp::HeldUp(io::Io& io) : io_(io), asked_(io.now()), processor_wait_(io.processor_wait()) {}

// Since asked_. Every loop is a little late at times, and many a little must not add up to something.
Duration HeldUp::stands_still(Instant now) const {
  if (expected_ >= now || now - expected_ < Starvation::kLeast) return {};
  return now - std::max(expected_, asked_);
}

void HeldUp::came_round(Instant now) {
  stood_still_ += stands_still(now);
  expected_ = kNever;
}

// What waited for a processor came late by it: the greater of the two holds both.
std::optional<Starved> HeldUp::look(Instant now) {
  if (now - asked_ < kAskedEvery) return std::nullopt;
  const Duration still = std::exchange(stood_still_, {}) + stands_still(now);
  const Duration wait = io_.processor_wait();
  const Duration waited = std::max(wait - std::exchange(processor_wait_, wait), still);
  return Starved{std::exchange(asked_, now), now, waited};
}

}  // namespace slosonde::engine
