#include "probe/slo/policy.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdio>

#include "probe/slo/history.h"

namespace slosonde::slo {
namespace {

struct WorkbookTier {
  Severity severity;
  uint32_t factor_milli;
  int64_t period_over_long;  // of 30 d: 720 is 1 h
};

constexpr std::array<WorkbookTier, 4> kWorkbook = {{{Severity::page, 14'400, 720},
                                                    {Severity::page, 6'000, 120},
                                                    {Severity::ticket, 3'000, 30},
                                                    {Severity::ticket, 1'000, 10}}};
constexpr int64_t kLongOverShort = 12;

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

// At least so many runs in the window, runs not rounded.
bool holds(Duration window, Duration every, uint64_t runs) {
  return window / every >= static_cast<int64_t>(runs);
}

}  // namespace

std::string_view name(Severity severity) {
  return severity == Severity::page ? "page" : "ticket";
}

std::string label(const Tier& tier) {
  return number(tier.factor.value()) + "x" + format_duration(tier.long_window);
}

std::vector<Tier> default_tiers(Duration period, uint32_t min_bad) {
  std::vector<Tier> tiers;
  tiers.reserve(kWorkbook.size());
  for (const WorkbookTier& row : kWorkbook)
    tiers.push_back(Tier{.severity = row.severity,
                         .factor = {row.factor_milli},
                         .long_window = whole_slots(period / row.period_over_long),
                         .short_window = whole_slots(period / (row.period_over_long * kLongOverShort)),
                         .min_bad = min_bad});
  return tiers;
}

Misfit misfit(const Tier& tier, const Terms& terms) {
  assert(terms.every.count() > 0);
  if (tier.long_window > terms.period) return Misfit::longer_than_period;
  if (tier.short_window > tier.long_window) return Misfit::short_not_shorter;
  if (uint64_t{tier.factor.milli} * static_cast<uint64_t>(terms.objective.budget_ppb()) >=
      1000 * static_cast<uint64_t>(kWhole_ppb))
    return Misfit::never_over;
  if (!holds(tier.long_window, terms.every, tier.min_bad)) return Misfit::too_few_runs;
  if (tier.short_window < std::max(terms.every, kFineSlot)) return Misfit::short_too_short;
  return Misfit::none;
}

std::string explain(Misfit reason, const Tier& tier, const Terms& terms) {
  std::string who = label(tier);
  const std::string long_text = format_duration(tier.long_window);
  const std::string short_text = format_duration(tier.short_window);
  const std::string every = format_duration(terms.every);
  switch (reason) {
    case Misfit::none:
      return who + " can fire";
    case Misfit::never_over:
      return who + " can never fire: with an objective of " +
             number(static_cast<double>(terms.objective.good_ppb) / 1e7) + "% a total outage burns at " +
             number(1 / terms.objective.budget()) + ", which does not exceed " + number(tier.factor.value()) +
             "; only a higher objective lets it";
    case Misfit::too_few_runs:
      return who + " can never fire: " + long_text + " at one run every " + every + " holds " +
             std::to_string(tier.long_window / terms.every) + ", and min_bad is " + std::to_string(tier.min_bad) +
             "; run more often or lengthen the window";
    case Misfit::short_too_short:
      return who + " means nothing: its short window of " + short_text + " is shorter than " +
             (terms.every > tier.short_window ? "one run every " + every
                                              : "the " + format_duration(kFineSlot) + " by which runs are counted") +
             "; run more often or lengthen the window";
    case Misfit::longer_than_period:
      return who + " looks back further than the SLO: " + long_text + " is longer than its period of " +
             format_duration(terms.period) + "; shorten the window";
    case Misfit::short_not_shorter:
      return who + " has its windows the wrong way round: the short one of " + short_text +
             " is longer than the long one of " + long_text + "; exchange them";
  }
  return who;
}

Policy default_policy(const Terms& terms, uint32_t min_bad) {
  Policy policy;
  for (const Tier& tier : default_tiers(terms.period, min_bad)) {
    const Misfit reason = misfit(tier, terms);
    if (reason == Misfit::none)
      policy.tiers.push_back(tier);
    else
      policy.dropped.push_back({tier, reason});
  }
  return policy;
}

std::vector<Duration> windows_of(const std::vector<Tier>& tiers, Duration period) {
  std::vector<Duration> windows = {whole_slots(period)};
  for (const Tier& tier : tiers)
    for (const Duration window : {tier.long_window, tier.short_window}) windows.push_back(whole_slots(window));
  std::sort(windows.begin(), windows.end());
  windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
  return windows;
}

Outlook outlook(const Tier& tier, const Terms& terms, Duration within) {
  const uint64_t enough = failures_over(tier.long_window, terms.every, tier.factor, terms.objective);
  const uint64_t k = std::max<uint64_t>({enough, tier.min_bad, 1});
  return Outlook{.failures = k,
                 .outage_seen = terms.every * static_cast<int64_t>(k) - terms.every / 2 + within,
                 .budget_spent = tier.factor.value() * seconds(tier.long_window) / seconds(terms.period),
                 .short_is_thin = tier.short_window < 3 * terms.every};
}

}  // namespace slosonde::slo
