#include "tests/simulation/swarm/slo_oracle.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace slosonde::swarm {

namespace {

constexpr Time kMostFine = 6 * kHour;      // longer windows move by whole minutes
constexpr Time kLateBound = 15 * kMinute;  // what is decided for longer ago counts as so long ago
constexpr Time kSlack = 3 * kDay;          // so far, at most, clocks are set in all

__extension__ using Wide = __int128;

Time edge_of(Time window) {
  return window <= kMostFine ? 10 * kSecond : kMinute;
}

Time rounded(Time window) {
  const Time edge = edge_of(window);
  return (window + edge - 1) / edge * edge;
}

bool near(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

}  // namespace

SloOracle::Sums& SloOracle::Log::at(int64_t index) {
  const auto i = static_cast<size_t>(index);
  if (i >= cells.size()) cells.resize(i + i / 4 + 1);
  return cells[i];
}

SloOracle::SloOracle(const SloTerms& slo, Time every, Time start)
    : slo_(slo), every_(every), since_(start), now_(start), origin_((start - kSlack) / kHour * kHour) {
  for (Log& log : logs_) log.cell = &log == logs_ ? 10 * kSecond : kMinute;
  add_window(slo.window);
  // The workbook's tiers: factor, and which part of 30 d the long window is; the short one is a twelfth of it.
  constexpr std::array<std::pair<int64_t, int64_t>, 4> kTiers = {
      {{14'400, 720}, {6'000, 120}, {3'000, 30}, {1'000, 10}}};
  const int64_t budget_ppb = 1'000'000'000 - slo.objective_ppb;
  for (const auto& [milli, part] : kTiers) {
    const Time lengthy = rounded(slo.window / part), brief = rounded(slo.window / (part * 12));
    if (milli * budget_ppb >= int64_t{1'000} * 1'000'000'000) continue;
    if (lengthy / every < slo.min_bad || brief < every) continue;
    add_window(lengthy);
    add_window(brief);
    tiers_.push_back({milli, window_of(lengthy), window_of(brief)});
  }
}

void SloOracle::add_window(Time length) {
  for (const Window& one : windows_) {
    if (one.length == length) return;
  }
  windows_.push_back({length, length <= kMostFine ? size_t{0} : size_t{1}, 0, {}});
  windows_.back().first = first_cell(windows_.back());
}

size_t SloOracle::window_of(Time length) const {
  for (size_t i = 0; i < windows_.size(); ++i) {
    if (windows_[i].length == length) return i;
  }
  return windows_.size();
}

int64_t SloOracle::first_cell(const Window& window) const {
  return (window_start(window.length) - origin_) / logs_[window.log].cell;
}

Time SloOracle::window_start(Time length) const {
  const Time edge = edge_of(length);
  return now_ / edge * edge - length;
}

void SloOracle::advance(Time now) {
  if (now <= now_) return;
  now_ = now;
  for (Window& window : windows_) move(window);
}

void SloOracle::move(Window& window) {
  const Log& log = logs_[window.log];
  for (const int64_t first = first_cell(window); window.first < first; ++window.first) {
    if (window.first < 0 || window.first >= static_cast<int64_t>(log.cells.size())) continue;
    const Sums& gone = log.cells[static_cast<size_t>(window.first)];
    for (size_t k = 0; k < kKinds; ++k) window.sums.of[k] -= gone.of[k];
  }
}

void SloOracle::count(Time at, RunVerdict kind, bool excluded) {
  advance(at);
  const Time into = std::max(at, now_ - kLateBound) - origin_;
  auto k = static_cast<size_t>(kind);
  if (excluded) k = kind == RunVerdict::good ? 6 : kind == RunVerdict::bad ? 7 : 5;
  for (Log& log : logs_) log.at(into / log.cell).of[k] += 1;
  for (Window& window : windows_) {
    if (into / logs_[window.log].cell >= window.first) window.sums.of[k] += 1;
  }
}

// bad > factor · b · N, N = judged + the events of the part that was not observed; in whole numbers.
bool SloOracle::over(const Tier& tier, size_t window) const {
  const Window& one = windows_[window];
  const Wide left = Wide{static_cast<int64_t>(one.sums.of[1])} * every_ * 1'000'000'000'000;
  const Wide n = Wide{static_cast<int64_t>(one.sums.judged())} * every_ + unobserved(one.length);
  return left > n * (tier.factor_milli * (1'000'000'000 - slo_.objective_ppb));
}

Time SloOracle::unobserved(Time length) const {
  return std::clamp<Time>(since_ - window_start(length), 0, length);
}

void SloOracle::step(Time now) {
  advance(now);
  for (Tier& tier : tiers_) {
    const Sums &lengthy = windows_[tier.long_window].sums, &brief = windows_[tier.short_window].sums;
    bool change = false;
    if (tier.active) {
      change = brief.judged() > 0 && !over(tier, tier.short_window);
    } else {
      change = brief.of[1] > 0 && lengthy.of[1] >= slo_.min_bad && over(tier, tier.long_window) &&
               over(tier, tier.short_window);
    }
    if (!change) continue;
    tier.active = !tier.active;
    tier.changed = now_;
  }
}

Time SloOracle::longest(bool fine) const {
  Time longest = 0;
  for (const Window& one : windows_) {
    if ((one.length <= kMostFine) == fine) longest = std::max(longest, one.length);
  }
  return longest;
}

void SloOracle::restart(Time at) {
  // The clock was set back, and the period reaches over what has been forgotten: how much of it counts as not observed
  // depends on when that was told the store.
  if (at < now_) budget_unsure_before_ = std::max(budget_unsure_before_, window_start(slo_.window));
  since_ = std::min(since_, at);
  for (Log& log : logs_) {
    // Kept in blocks of sixty cells, as far back as the longest window reached; of that nothing is lost. Where the
    // clock was set back, what lies ahead counts as now.
    const int64_t kept_from = (now_ / log.cell - log.kept / log.cell) / 60 * 60 - origin_ / log.cell;
    const int64_t last = (at - origin_) / log.cell;
    for (; log.forgotten < kept_from; ++log.forgotten) log.at(log.forgotten) = {};
    for (int64_t cell = (now_ - origin_) / log.cell; cell > last; --cell) {
      const Sums ahead = std::exchange(log.at(cell), {});
      for (size_t k = 0; k < kKinds; ++k) log.at(last).of[k] += ahead.of[k];
    }
  }
  now_ = at;
  for (Window& window : windows_) {
    Log& log = logs_[window.log];
    window.first = first_cell(window);
    window.sums = {};
    const int64_t last = (at - origin_) / log.cell;
    for (int64_t cell = std::max<int64_t>(0, window.first); cell <= last; ++cell) {
      for (size_t k = 0; k < kKinds; ++k) window.sums.of[k] += log.at(cell).of[k];
    }
  }
}

std::string SloOracle::compare(const WindowReading& is) const {
  const size_t index = window_of(is.window);
  const std::string name = "window " + format_duration(Duration(is.window)) + ' ';
  if (index == windows_.size()) return name + "should not be there";
  const Sums& sums = windows_[index].sums;
  const std::array<uint64_t, kKinds> shown = {
      is.good, is.bad, is.blind, is.probe_fault, is.missed, is.excluded_unjudged, is.excluded_good, is.excluded_bad};
  constexpr std::array<const char*, kKinds> kNames = {
      "good", "bad", "blind", "probe_fault", "missed", "excluded_unjudged", "excluded_good", "excluded_bad"};
  for (size_t k = 0; k < kKinds; ++k) {
    if (shown[k] == sums.of[k]) continue;
    return name + kNames[k] + " is " + std::to_string(shown[k]) + ", should be " + std::to_string(sums.of[k]);
  }
  const auto judged = static_cast<double>(sums.judged());
  const double wanted = judged + static_cast<double>(sums.of[2] + sums.of[3] + sums.of[4]);
  const double budget = 1 - static_cast<double>(slo_.objective_ppb) / 1e9;
  const double burn = judged > 0 ? static_cast<double>(sums.of[1]) / judged / budget : -1;
  const double coverage = wanted > 0 ? judged / wanted : -1;
  if (!near(is.burn_rate, burn)) {
    return name + "burns at " + std::to_string(is.burn_rate) + ", should at " + std::to_string(burn);
  }
  if (!near(is.coverage, coverage)) {
    return name + "coverage is " + std::to_string(is.coverage) + ", should be " + std::to_string(coverage);
  }
  return {};
}

std::string SloOracle::compare(const SloReading& is) const {
  if (is.period.window != slo_.window) return "another period";
  if (std::string text = compare(is.period); !text.empty()) return text;
  size_t wanted = 0;
  for (const Window& one : windows_) {
    const auto of_tier = [&](const Tier& tier) {
      return windows_[tier.long_window].length == one.length || windows_[tier.short_window].length == one.length;
    };
    if (std::any_of(tiers_.begin(), tiers_.end(), of_tier)) ++wanted;
  }
  if (is.windows.size() != wanted) return "shows " + std::to_string(is.windows.size()) + " windows";
  for (const WindowReading& one : is.windows) {
    if (std::string text = compare(one); !text.empty()) return text;
  }
  const Sums& sums = windows_.front().sums;
  const double budget = 1 - static_cast<double>(slo_.objective_ppb) / 1e9, bad = static_cast<double>(sums.of[1]);
  const double n =
      static_cast<double>(sums.judged()) + static_cast<double>(unobserved(slo_.window)) / static_cast<double>(every_);
  const double remaining = n > 0 ? 1 - bad / (budget * n) : -1e9;
  const bool sure = window_start(slo_.window) >= budget_unsure_before_;
  if (sure && !near(is.budget, remaining)) {
    return "budget remaining is " + std::to_string(is.budget) + ", should be " + std::to_string(remaining);
  }
  const double observed = sums.judged() > 0 ? 1 - bad / (budget * static_cast<double>(sums.judged())) : -1e9;
  if (!near(is.budget_observed, observed)) {
    return "observed budget is " + std::to_string(is.budget_observed) + ", should be " + std::to_string(observed);
  }
  if (is.alerts.size() != tiers_.size()) return "has " + std::to_string(is.alerts.size()) + " alerts";
  for (size_t i = 0; i < tiers_.size(); ++i) {
    const AlertReading& alert = is.alerts[i];
    const Tier& tier = tiers_[i];
    if (alert.active == tier.active && alert.since == tier.changed &&
        alert.long_window == windows_[tier.long_window].length) {
      continue;
    }
    return "alert over " + format_duration(Duration(alert.long_window)) + " is " +
           (alert.active ? "active" : "not active") + " since " + std::to_string(alert.since) + ", should be " +
           (tier.active ? "active" : "not active") + " since " + std::to_string(tier.changed);
  }
  return {};
}

}  // namespace slosonde::swarm
