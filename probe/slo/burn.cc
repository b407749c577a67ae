#include "probe/slo/burn.h"

#include <cassert>
#include <compare>
#include <limits>

namespace slosonde::slo {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr uint64_t kMilli = 1000;
constexpr uint64_t kWhole = kMilli * static_cast<uint64_t>(kWhole_ppb);

// factor * b, in parts of kWhole.
uint64_t allowed_share(BurnFactor factor, Objective objective) {
  return uint64_t{factor.milli} * static_cast<uint64_t>(objective.budget_ppb());
}

// a * b in 192 bits, the higher 128 first: counts times nanoseconds times a share can be longer than 128.
struct Product {
  Wide high;
  uint64_t low;

  Product(Wide a, uint64_t b) {
    const Wide bottom = Wide{static_cast<uint64_t>(a)} * b;
    high = Wide{static_cast<uint64_t>(a >> 64)} * b + (bottom >> 64);
    low = static_cast<uint64_t>(bottom);
  }
  auto operator<=>(const Product&) const = default;
  double value() const { return static_cast<double>(high) * 0x1p64 + static_cast<double>(low); }
};

uint64_t ns(Duration d) {
  assert(d.count() >= 0);
  return static_cast<uint64_t>(d.count());
}

// (judged + unobserved / every) * every, in ns: N without a fraction.
Wide refilled_ns(const Counts& counts, Refill refill) {
  assert(refill.every.count() > 0);
  return Wide{counts.judged()} * ns(refill.every) + ns(refill.unobserved);
}

}  // namespace

std::optional<double> burn_rate(const Counts& counts, Objective objective) {
  if (counts.judged() == 0) return std::nullopt;
  const Product bad(counts.bad, static_cast<uint64_t>(kWhole_ppb));
  return bad.value() / Product(counts.judged(), static_cast<uint64_t>(objective.budget_ppb())).value();
}

bool over(const Counts& counts, Refill refill, BurnFactor factor, Objective objective) {
  // bad > share / kWhole * (judged + unobserved / every), both sides times kWhole * every.
  const Product bad(Wide{counts.bad} * ns(refill.every), kWhole);
  return bad > Product(refilled_ns(counts, refill), allowed_share(factor, objective));
}

std::optional<double> budget_remaining(const Counts& period_counts, Refill refill, Objective objective) {
  const Wide n = refilled_ns(period_counts, refill);
  if (n == 0) return std::nullopt;
  const Product bad(Wide{period_counts.bad} * ns(refill.every), static_cast<uint64_t>(kWhole_ppb));
  return 1 - bad.value() / Product(n, static_cast<uint64_t>(objective.budget_ppb())).value();
}

std::optional<double> budget_remaining_observed(const Counts& period_counts, Objective objective) {
  return budget_remaining(period_counts, Refill{.every = Duration(1), .unobserved = {}}, objective);
}

uint64_t failures_over(Duration span, Duration every, BurnFactor factor, Objective objective) {
  assert(every.count() > 0);
  const Wide most = Wide{allowed_share(factor, objective)} * ns(span) / (Wide{kWhole} * ns(every));
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  return most >= kMost ? kMost : static_cast<uint64_t>(most) + 1;
}

}  // namespace slosonde::slo
