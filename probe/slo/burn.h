// Burn rate and budget of one window. Formulas: Google, The Site Reliability Workbook, ch. 5 ("Alerting on SLOs").
//
// N, where a threshold or a budget is measured, is judged + refill: the events that would have been judged in the part
// of the window before history began, at the configured rate, all of them good. A fresh probe is then as calm as an old
// one (a first failure is not 100 % of all there ever was) and as fast (its threshold is the same number of failures).
// Time we were blind is not refilled: what is not known is not assumed.
#pragma once

#include <cstdint>
#include <optional>

#include "probe/base/time.h"
#include "probe/slo/counts.h"
#include "probe/slo/objective.h"

namespace slosonde::slo {

// unobserved / every events are taken as good. Both come from elsewhere: History::unobserved(window), Terms::every.
struct Refill {
  Duration every{};       // > 0
  Duration unobserved{};  // >= 0
};

// A threshold in thousandths of the budget rate: 14.4 is 14'400.
struct BurnFactor {
  uint32_t milli = 1000;

  constexpr double value() const { return static_cast<double>(milli) / 1000; }
  friend bool operator==(const BurnFactor&, const BurnFactor&) = default;
};

// bad / judged / b, of judged events only, for display and export: 1 spends exactly the budget in the period. Nothing
// when nothing was judged.
std::optional<double> burn_rate(const Counts& counts, Objective objective);

// bad > factor * b * N, strictly, in whole numbers: exact for any counts whose sum is a uint64_t.
bool over(const Counts& counts, Refill refill, BurnFactor factor, Objective objective);

// 1 - bad / (b * N): 1 untouched, 0 spent, negative overspent. `period_counts` and `refill` are those of the period.
// Nothing when N is 0.
std::optional<double> budget_remaining(const Counts& period_counts, Refill refill, Objective objective);

// The same over judged events alone: what a dashboard computes from counters. Nothing when nothing was judged.
std::optional<double> budget_remaining_observed(const Counts& period_counts, Objective objective);

// The smallest number of bad events that is over(): floor(factor * b * n) + 1 with n = span / every, n not rounded.
// Saturates at UINT64_MAX.
uint64_t failures_over(Duration span, Duration every, BurnFactor factor, Objective objective);

}  // namespace slosonde::slo
