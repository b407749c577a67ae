#include "probe/slo/counts.h"

#include <array>

namespace slosonde::slo {
namespace {

using Field = uint64_t Counts::*;
constexpr std::array<Field, kEvents> kFields = {&Counts::good,          &Counts::bad,
                                                &Counts::blind,         &Counts::probe_fault,
                                                &Counts::missed,        &Counts::excluded_unjudged,
                                                &Counts::excluded_good, &Counts::excluded_bad};

Field field(Event event) {
  return kFields[static_cast<size_t>(event)];
}

}  // namespace

std::optional<double> Counts::coverage() const {
  const uint64_t wanted = judged() + blind + probe_fault + missed;
  if (wanted == 0) return std::nullopt;
  return static_cast<double>(judged()) / static_cast<double>(wanted);
}

std::optional<double> Counts::good_share() const {
  if (judged() == 0) return std::nullopt;
  return static_cast<double>(good) / static_cast<double>(judged());
}

// Which of the three kinds an excluded event would have been that nobody could judge is not kept.
Counts Counts::with_excluded() const {
  Counts all = *this;
  all.good += all.excluded_good;
  all.bad += all.excluded_bad;
  all.blind += all.excluded_unjudged;
  all.excluded_good = all.excluded_bad = all.excluded_unjudged = 0;
  return all;
}

uint64_t& Counts::operator[](Event event) {
  return this->*field(event);
}

uint64_t Counts::operator[](Event event) const {
  return this->*field(event);
}

Counts& Counts::operator+=(const Counts& other) {
  for (const Field f : kFields) this->*f += other.*f;
  return *this;
}

Counts& Counts::operator-=(const Counts& other) {
  for (const Field f : kFields) this->*f -= other.*f;
  return *this;
}

}  // namespace slosonde::slo
