#include "probe/slo/ranks.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace slosonde::slo {
namespace {

constexpr double kDoubt = 0.05;  // 1 - confidence

// At n = 1, q = .95 the tail is .05 itself, and must count as within. For n up to 65,536 no other tail comes nearer to
// it than by 7e-9 of it (all were looked at, for q = .5, .95 and .99).
constexpr double kSlack = 1e-9;

// What is left out beyond this share of the largest term cannot be seen in a double.
constexpr double kNegligible = 1e-20;

// The terms of binomial(n, q) that matter, up to a common factor: from the mode outwards each follows from its
// neighbour, so no factorial is computed, and nothing under- or overflows.
struct Terms {
  uint32_t first = 0;  // the k of terms[0]
  std::vector<double> terms;
  double total = 0;
};

Terms binomial(uint32_t n, double q) {
  const double odds = q / (1 - q);
  const auto mode = std::min(n, static_cast<uint32_t>((n + 1.0) * q));
  Terms result;
  double term = 1;
  for (uint32_t k = mode; k > 0 && term > kNegligible; --k) {
    term *= k / ((n - k + 1.0) * odds);
    result.terms.push_back(term);
  }
  std::reverse(result.terms.begin(), result.terms.end());
  result.first = mode - static_cast<uint32_t>(result.terms.size());
  result.terms.push_back(1);
  term = 1;
  for (uint32_t k = mode; k < n && term > kNegligible; ++k) {
    term *= (n - k) * odds / (k + 1.0);
    result.terms.push_back(term);
  }
  for (const double each : result.terms) result.total += each;
  return result;
}

}  // namespace

Ranks ranks(uint32_t n, uint32_t percent) {
  assert(percent >= 1 && percent <= 99);
  if (n == 0) return {};
  const Terms all = binomial(n, percent / 100.0);
  const double allowed = kDoubt * all.total * (1 + kSlack);
  Ranks result{.point = static_cast<uint32_t>((uint64_t{n} * percent + 99) / 100)};

  // l: as many terms from the bottom as have P(Bin <= l - 1) <= .05.
  result.lower = all.first;
  double tail = 0;
  for (size_t i = 0; i < all.terms.size() && (tail += all.terms[i]) <= allowed; ++i) ++result.lower;

  // u: the last from the top that has P(Bin >= u) <= .05; above n there is no sample.
  uint32_t upper = all.first + static_cast<uint32_t>(all.terms.size());
  tail = 0;
  for (size_t i = all.terms.size(); i-- > 0 && (tail += all.terms[i]) <= allowed;) --upper;
  if (upper <= n) result.upper = upper;
  return result;
}

}  // namespace slosonde::slo
