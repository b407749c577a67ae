#include "probe/slo/alerts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <vector>

#include "tests/unit/slo/plain_history.h"
#include "tests/unit/slo/random.h"

namespace slosonde::slo {
namespace {

using namespace std::chrono_literals;
using boost::multiprecision::cpp_int;

constexpr Instant kMidnight = instant_from_unix_ns(1'769'817'600'000'000'000);
constexpr Objective k999{.good_ppb = 999'000'000};

// One tier as the page says it, over a list of events.
class PlainAlert {
 public:
  PlainAlert(const Tier& tier, const Terms& terms) : tier_(tier), terms_(terms) {}

  void step(const PlainHistory& history, Instant now) {
    const Counts in_long = history.sum(tier_.long_window.count());
    const Counts in_short = history.sum(tier_.short_window.count());
    const bool short_over = is_over(in_short, history.unobserved_ns(tier_.short_window.count()));
    const bool long_over = is_over(in_long, history.unobserved_ns(tier_.long_window.count()));
    if (!active && short_over && long_over && in_long.bad >= tier_.min_bad) {
      active = true;
      fired_at.push_back(now);
    } else if (active && !short_over && in_short.good + in_short.bad > 0) {
      active = false;
      resolved_at.push_back(now);
    }
  }

  bool active = false;
  std::vector<Instant> fired_at;
  std::vector<Instant> resolved_at;

 private:
  bool is_over(const Counts& counts, int64_t unobserved_ns) const {
    const int64_t every = terms_.every.count();
    const cpp_int runs = cpp_int(counts.good + counts.bad) * every + unobserved_ns;
    const cpp_int allowed = runs * (1'000'000'000 - terms_.objective.good_ppb) * tier_.factor.milli;
    return cpp_int(counts.bad) * every * 1'000'000'000 * 1000 > allowed;
  }

  Tier tier_;
  Terms terms_;
};

// Spells of health, outages, partial outages, blindness and silence.
class Weather {
 public:
  explicit Weather(Random& random) : random_(random) {}

  std::optional<Event> next() {
    if (left_-- == 0) {
      left_ = random_.below(60);
      const double shares[] = {0, 0, 0.02, 0.3, 1};
      bad_ = shares[random_.below(5)];
      const double kind = random_.unit();
      blind_ = kind < 0.1 ? 0.9 : 0;
      silent_ = kind > 0.93;
    }
    if (silent_) return std::nullopt;
    if (random_.chance(blind_)) return static_cast<Event>(random_.between(2, 5));
    return random_.chance(bad_) ? Event::bad : Event::good;
  }

 private:
  Random& random_;
  uint64_t left_ = 0;
  double bad_ = 0;
  double blind_ = 0;
  bool silent_ = false;
};

TEST(Alerts, EqualTheDefinitionOverRandomHistories) {
  size_t fired = 0;
  size_t resolved = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Terms terms{.objective = {.good_ppb = kWhole_ppb - random.between(1, 120) * 1'000'000},
                      .period = random.magnitude(24h, 720h),
                      .every = Duration(random.between(500, 60'000)) * 1'000'000};
    const Policy policy = default_policy(terms, static_cast<uint32_t>(random.between(1, 4)));
    const Instant start = kMidnight + random.up_to(1h);
    History history(start, terms.period, windows_of(policy.tiers, terms.period));
    PlainHistory plain(start);
    std::vector<AlertState> states(policy.tiers.size());
    std::vector<PlainAlert> plain_alerts;
    plain_alerts.reserve(policy.tiers.size());
    for (const Tier& tier : policy.tiers) plain_alerts.emplace_back(tier, terms);
    Weather weather(random);
    const auto step_all = [&](Instant now) {
      for (size_t i = 0; i < states.size(); ++i) {
        const AlertState before = states[i];
        const auto change = step(states[i], policy.tiers[i], read_tier(policy.tiers[i], terms, history), now);
        plain_alerts[i].step(plain, now);
        ASSERT_EQ(states[i].active, plain_alerts[i].active) << label(policy.tiers[i]);
        ASSERT_EQ(change.has_value(), before.active != states[i].active);
        ASSERT_EQ(states[i].fired, plain_alerts[i].fired_at.size());
        ASSERT_EQ(states[i].since, plain_alerts[i].fired_at.empty() ? Instant{} : plain_alerts[i].fired_at.back());
        fired += change == AlertChange::fired ? 1 : 0;
        resolved += change == AlertChange::resolved ? 1 : 0;
      }
    };
    Instant due = start;
    for (int run = 0; run < 250; ++run, due += terms.every) {
      while (random.chance(0.7) && history.next_change() < due) {
        const Instant edge = history.next_change();
        history.advance(edge);
        plain.advance(edge);
        step_all(edge);
      }
      const auto event = weather.next();
      if (!event) continue;
      history.add(due, *event);
      plain.add(due, *event, 1);
      step_all(due);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_GT(fired, 1000U);
  EXPECT_GT(resolved, 500U);
}

// A probe of the default policy at 15 s that has been looking for `age`, all of it good.
struct Probe {
  explicit Probe(Duration age, size_t tier_index = 0)
      : tier(default_tiers(720h)[tier_index]),
        history(kMidnight, terms.period, windows_of(default_tiers(720h), terms.period)) {
    for (Instant t = kMidnight; t < kMidnight + age; t += terms.every) decide(t, Event::good);
    now = kMidnight + age;
  }

  std::optional<AlertChange> decide(Instant t, Event event) {
    history.add(t, event);
    now = t;
    return step(state, tier, read_tier(tier, terms, history), t);
  }
  std::optional<AlertChange> pass(Instant t) {
    history.advance(t);
    now = t;
    return step(state, tier, read_tier(tier, terms, history), t);
  }
  int failures_until_fired() {
    for (int k = 1; k < 1000; ++k)
      if (decide(now + terms.every, Event::bad) == AlertChange::fired) return k;
    return 0;
  }

  Terms terms{.objective = k999, .period = 720h, .every = 15s};
  Tier tier;
  History history;
  AlertState state;
  Instant now;
};

TEST(Alerts, AFreshProbeFiresAfterAsManyFailuresAsAnOldOne) {
  for (size_t tier = 0; tier < 4; ++tier) {
    SCOPED_TRACE(tier);
    Probe old(100h, tier);
    const auto expected = static_cast<int>(outlook(old.tier, old.terms, 0s).failures);
    EXPECT_EQ(old.failures_until_fired(), expected);
    for (const Duration age : {Duration(0s), Duration(15s), Duration(2min), Duration(1h), Duration(5h), Duration(30h)})
      EXPECT_EQ(Probe(age, tier).failures_until_fired(), expected) << format_duration(age);
  }
}

TEST(Alerts, ResolvesWhenTheLastFailureHasLeftTheShortWindow) {
  Probe probe(2h);
  ASSERT_EQ(probe.failures_until_fired(), 4);
  const Instant last_bad = probe.now;  // 2 h 1 min: on a slot's edge
  EXPECT_EQ(probe.state.since, last_bad);
  EXPECT_EQ(probe.state.last_change, last_bad);
  // 14.4 * .1 % * 20 runs of 5 min < 1: one failure in the window is over.
  while (probe.now < last_bad + 5min) EXPECT_FALSE(probe.decide(probe.now + 15s, Event::good));
  EXPECT_FALSE(probe.pass(last_bad + 5min + 10s - 1ns));
  EXPECT_EQ(probe.pass(last_bad + 5min + 10s), AlertChange::resolved);
  EXPECT_FALSE(probe.state.active);
  EXPECT_EQ(probe.state.since, last_bad);
  EXPECT_EQ(probe.state.last_change, last_bad + 5min + 10s);
  EXPECT_EQ(probe.state.fired, 1U);
}

TEST(Alerts, SilenceAndBlindnessAreNoRecovery) {
  Probe probe(2h);
  ASSERT_EQ(probe.failures_until_fired(), 4);
  EXPECT_FALSE(probe.pass(probe.now + 20min));
  for (const Event event : {Event::blind, Event::probe_fault, Event::missed, Event::excluded_good, Event::excluded_bad})
    EXPECT_FALSE(probe.decide(probe.now + 15s, event));
  EXPECT_TRUE(probe.state.active);
  EXPECT_EQ(probe.decide(probe.now + 15s, Event::good), AlertChange::resolved);
}

TEST(Alerts, FiresAgainInTheNextOutageAndCountsIt) {
  Probe probe(2h);
  ASSERT_EQ(probe.failures_until_fired(), 4);
  while (probe.state.active) probe.decide(probe.now + 15s, Event::good);
  ASSERT_EQ(probe.failures_until_fired(), 1);  // the long window still holds the four
  EXPECT_EQ(probe.state.fired, 2U);
  EXPECT_EQ(probe.state.since, probe.now);
}

TEST(Alerts, OneFailureIsNeverEnough) {
  // At 10 min the 1 h window expects 6 runs: a single failure burns at 166.
  const Terms terms{.objective = k999, .period = 720h, .every = 10min};
  const Tier tier{Severity::page, {14'400}, 1h, 20min, 2};
  History history(kMidnight, terms.period, windows_of({tier}, terms.period));
  AlertState state;
  history.add(kMidnight + 10min, Event::bad);
  const TierReading reading = read_tier(tier, terms, history);
  EXPECT_TRUE(reading.long_over);
  EXPECT_TRUE(reading.short_over);
  EXPECT_FALSE(step(state, tier, reading, history.now()));
  EXPECT_EQ(state, AlertState{});
  history.add(kMidnight + 20min, Event::bad);
  EXPECT_EQ(step(state, tier, read_tier(tier, terms, history), history.now()), AlertChange::fired);
}

TEST(Alerts, BothWindowsMustBeOver) {
  Probe probe(2h);
  TierReading reading{.long_counts = {.good = 9, .bad = 9}, .short_counts = {.good = 9, .bad = 9}};
  reading.long_over = true;
  EXPECT_FALSE(step(probe.state, probe.tier, reading, kMidnight));
  reading.long_over = false;
  reading.short_over = true;
  EXPECT_FALSE(step(probe.state, probe.tier, reading, kMidnight));
  reading.long_over = true;
  EXPECT_EQ(step(probe.state, probe.tier, reading, kMidnight), AlertChange::fired);
  reading.long_over = false;  // the short one alone keeps it
  EXPECT_FALSE(step(probe.state, probe.tier, reading, kMidnight));
}

// The median that `validate` prints, against outages that begin at every phase between two runs.
TEST(Alerts, MedianTimeToSeeATotalOutageIsWhatTheOutlookSays) {
  constexpr Duration kWithin = 4s;
  for (size_t tier = 0; tier < 4; ++tier) {
    const Probe healthy(80h, tier);
    std::vector<Duration> seen;
    for (int phase = 0; phase < 15; ++phase) {
      Probe probe = healthy;
      const Instant begins = probe.now - probe.terms.every + phase * 1s + 500ms;  // the run due before was still good
      Instant due = probe.now;
      while (probe.decide(due + kWithin, Event::bad) != AlertChange::fired) due += probe.terms.every;
      seen.push_back(probe.now - begins);
    }
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen[7], outlook(healthy.tier, healthy.terms, kWithin).outage_seen) << tier;
  }
}

}  // namespace
}  // namespace slosonde::slo
