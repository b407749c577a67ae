// SLOs, alerts, percentiles and views.
#include <cmath>
#include <limits>

#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

using checks::Outcome;

// A console whose SLO has a period of a day, so that its first tier looks at 2 m 50 s and 30 s or so.
struct Alerting : testing::Test {
  Plan plan = plan_of({console()});
  Alerting() {
    plan.transactions[0].every = 5s;
    plan.slos = {slo_of("up", 0)};
    plan.slos[0].window = 24h;
  }

  static void answer_all(Rig& rig, Duration length, bool good) {
    const Instant end = rig.now + length;
    while (rig.core.next_due() < end) {
      const size_t known = rig.checks.size();
      rig.to(rig.core.next_due());
      for (size_t i = known; i < rig.checks.size(); ++i) {
        const StartCheck check = rig.checks[i];
        rig.answer(check, good ? Outcome::held : Outcome::unreachable, rig.now + 1ms,
                   good ? Error{} : Error{ErrorCode::connect_refused, "refused"});
      }
    }
  }
  static const AlertStatus& first_tier(const Snapshot& view) { return view.slos[0].alerts.at(0); }
};

TEST_F(Alerting, ATierFiresDuringAnOutageAndResolvesAfterIt) {
  Rig rig(plan);
  answer_all(rig, 2h, true);
  EXPECT_EQ(rig.notices(Notice::Kind::alert_fired), 0u);
  const auto calm = rig.view();
  EXPECT_FALSE(first_tier(*calm).active);
  EXPECT_FALSE(first_tier(*calm).since);
  EXPECT_EQ(calm->slos[0].budget_remaining, 1.0);

  const Instant outage = rig.now;
  answer_all(rig, 3min, false);
  const auto burning = rig.view();
  ASSERT_TRUE(first_tier(*burning).active);
  EXPECT_GE(*first_tier(*burning).since, outage);
  EXPECT_LT(*first_tier(*burning).since, outage + 1min);
  EXPECT_GT(rig.notices(Notice::Kind::alert_fired), 0u);
  EXPECT_LT(*burning->slos[0].budget_remaining, 0);
  const auto fired = std::find_if(rig.told.begin(), rig.told.end(),
                                  [](const Notice& one) { return one.kind == Notice::Kind::alert_fired; });
  EXPECT_EQ(fired->subject, "up");
  EXPECT_NE(fired->text.find("14.4x"), std::string::npos) << fired->text;
  EXPECT_NE(fired->text.find("bad"), std::string::npos);

  answer_all(rig, 10min, true);
  EXPECT_FALSE(first_tier(*rig.view()).active);
  EXPECT_GT(*first_tier(*rig.view()).since, outage + 3min);
  EXPECT_GT(rig.notices(Notice::Kind::alert_resolved), 0u);
}

// A window that empties by itself is looked at when it moves: next_due() must not sleep over it.
TEST_F(Alerting, AlertsAreSteppedWhenWindowsMove) {
  plan.transactions[0].every = 10min;  // nothing else happens between
  plan.slos[0].min_bad = 1;
  Rig rig(plan);
  EXPECT_LE(rig.core.next_due(), kStart + 10s);
  rig.pass(1h);
  EXPECT_LE(rig.core.next_due(), rig.now + 10s);
}

TEST_F(Alerting, WindowsShowCountsBurnAndCoverage) {
  Rig rig(plan);
  answer_all(rig, 60s, true);
  answer_all(rig, 15s, false);
  const SloStatus slo = rig.view()->slos[0];
  ASSERT_FALSE(slo.windows.empty());
  EXPECT_TRUE(std::is_sorted(slo.windows.begin(), slo.windows.end(),
                             [](const auto& a, const auto& b) { return a.window < b.window; }));
  EXPECT_EQ(slo.period.window, 24h);
  EXPECT_EQ(slo.period.good + slo.period.bad, slo.good_total + slo.bad_total);
  EXPECT_EQ(slo.period.bad, 3u);
  const double share = 3.0 / static_cast<double>(slo.good_total + slo.bad_total);
  EXPECT_NEAR(*slo.period.burn_rate, share / 0.001, 1e-9);
  EXPECT_EQ(slo.period.coverage, 1.0);
  EXPECT_EQ(slo.since, kStart);
}

TEST_F(Alerting, BeforeAnythingIsJudgedThereIsNoBurnRate) {
  Rig rig(plan);
  const SloStatus slo = rig.view()->slos[0];
  EXPECT_FALSE(slo.period.burn_rate);
  EXPECT_FALSE(slo.period.coverage);
  EXPECT_EQ(slo.good_total + slo.bad_total, 0u);
}

TEST(CoreViews, CountersAndHistogramsAreThereFromTheStart) {
  Rig rig(plan_of({log_to_alert(), console()}));
  const auto view = rig.view();
  ASSERT_EQ(view->transactions.size(), 2u);
  ASSERT_EQ(view->watches.size(), 2u);
  for (const TransactionStats& transaction : view->transactions) {
    for (const StageStats& stage : transaction.stages) {
      ASSERT_TRUE(stage.latency.edges);
      EXPECT_EQ(stage.latency.counts.size(), stage.latency.edges->size() + 1);
      EXPECT_EQ(stage.hop.counts.size(), stage.hop.edges->size() + 1);
      for (const Histogram& phase : stage.phases) EXPECT_EQ(phase.counts.size(), phase.edges->size() + 1);
      EXPECT_TRUE(stage.percentiles.empty());
    }
  }
}

TEST(CoreViews, TheLimitIsAnEdgeAndTheLastEdgeIsFourTimesIt) {
  TransactionPlan plan = log_to_alert();
  plan.stages[2].from = 1;
  plan.stages[2].within = 7s;
  Rig rig(plan_of({plan}));
  const std::vector<double> limits = {2, 30, 37};  // the third counts from the second's sighting
  for (size_t i = 0; i < 3; ++i) {
    const auto& edges = *rig.view()->transactions[0].stages[i].latency.edges;
    EXPECT_TRUE(std::is_sorted(edges.begin(), edges.end()));
    EXPECT_NE(std::find(edges.begin(), edges.end(), limits[i]), edges.end()) << i;
    EXPECT_EQ(edges.back(), 4 * limits[i]);
  }
}

TEST(CoreViews, PercentilesAreOfTheSamplesAndRenewedNowAndThen) {
  Rig rig(plan_of({console()}));
  for (int i = 1; i <= 21; ++i) {
    const StartCheck check = rig.next_check(0, 0);
    rig.hold(check, check.due + 1ms * i);
  }
  rig.pass(6s);
  const auto percentiles = rig.view()->transactions[0].stages[0].percentiles;
  const auto find = [&](double percentile, Bound bound, Duration window) {
    const auto found = std::find_if(percentiles.begin(), percentiles.end(), [&](const Percentile& one) {
      return one.percentile == percentile && one.bound == bound && one.window == window;
    });
    return found == percentiles.end() ? std::numeric_limits<double>::quiet_NaN() : found->seconds;
  };
  EXPECT_NEAR(find(0.5, Bound::point, 1h), 0.011, 1e-6);
  EXPECT_NEAR(find(0.99, Bound::point, 1h), 0.021, 1e-6);
  EXPECT_TRUE(std::isnan(find(0.99, Bound::upper, 1h)));  // needs 299 samples
  EXPECT_GE(find(0.5, Bound::upper, 1h), 0.011);
}

TEST(CoreViews, PhasesAndCertificatesOfEveryAttempt) {
  Rig rig(plan_of({console()}));
  const StartCheck check = rig.next_check(0, 0);
  auto result = Rig::result(Outcome::held, rig.now, rig.now);
  result.phases[static_cast<size_t>(checks::Phase::connect)] = 3ms;
  result.certificate_expiry = kStart + 24h * 90;
  result.delivery = checks::Delivery::acked;
  rig.feed(CheckDone{check.run, false, 0, 0, result});
  EXPECT_EQ(rig.run(check)->stages[0].delivery, checks::Delivery::acked);
  const StageStats stats = rig.view()->transactions[0].stages[0];
  EXPECT_EQ(stats.phases[static_cast<size_t>(checks::Phase::connect)].count(), 1u);
  EXPECT_EQ(stats.phases[static_cast<size_t>(checks::Phase::tls)].count(), 0u);
  EXPECT_EQ(stats.certificate_expiry, kStart + 24h * 90);
}

TEST(CoreViews, RunsInFlightComeFirstAndClosedOnesAreKeptUpToABound) {
  Rig rig(plan_of({console()}), {.start = kStart, .epoch = kEpoch, .kept_runs = 5});
  std::vector<StartCheck> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(rig.next_check(0, 0));
    if (i < 7) rig.hold(all.back(), rig.now);
  }
  const auto view = rig.view();
  EXPECT_EQ(view->transactions[0].in_flight, 1u);
  const std::vector<RunPtr> runs(view->runs.begin(), view->runs.end());
  ASSERT_EQ(runs.size(), 6u);
  EXPECT_EQ(view->runs.size(), 6u);
  EXPECT_FALSE(runs[0]->closed);
  for (size_t i = 0; i < runs.size(); ++i) EXPECT_EQ(runs[i]->marker, all[7 - i].marker);
}

TEST(CoreViews, SnapshotsShareTheRunsThatHaveNotChangedSince) {
  Rig rig(plan_of({console(), write_and_read()}));
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, rig.now);
  const StartCheck write = rig.next_check(1, 0);
  const auto before = rig.view();
  rig.pass(1ms);
  const auto after = rig.view();
  ASSERT_EQ(before->runs.size(), after->runs.size());
  auto one = before->runs.begin();
  for (const RunPtr& run : after->runs) EXPECT_EQ(run, *one++);
  EXPECT_EQ(&*std::ranges::find_if(before->runs, [](const RunPtr& run) { return run->closed; }),
            &*std::ranges::find_if(after->runs, [](const RunPtr& run) { return run->closed; }));
  rig.hold(write, rig.now);  // and one that has changed is another record
  const auto is_it = [&](const RunPtr& run) { return run->marker == write.marker; };
  EXPECT_NE(*std::ranges::find_if(after->runs, is_it), rig.run(write));
}

TEST(CoreViews, ASnapshotNeverChangesOnceTaken) {
  Rig rig(plan_of({console()}));
  const StartCheck check = rig.next_check(0, 0);
  const auto before = rig.view();
  rig.hold(check, rig.now + 5ms);
  EXPECT_FALSE((*before->runs.begin())->verdict);
  EXPECT_EQ(before->transactions[0].verdicts[0], 0u);
  EXPECT_EQ((*rig.view()->runs.begin())->verdict, RunVerdict::good);
}

TEST(CoreViews, TraceparentsOfStagesAreChildrenOfTheRun) {
  Rig rig(plan_of({console()}));
  const StartCheck check = rig.next_check(0, 0);
  const auto run = rig.run(check);
  EXPECT_EQ(run->traceparent.substr(0, 35), check.traceparent.substr(0, 35));
  EXPECT_NE(run->traceparent, check.traceparent);
}

TEST(CoreViews, WallStepsAreCountedAndShown) {
  Rig rig(plan_of({console()}));
  rig.feed(WallStep{1h});
  EXPECT_EQ(rig.view()->wall_steps, 1u);
  EXPECT_EQ(rig.view()->wall_offset, 1h);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, rig.now + 1ms);
  EXPECT_EQ(rig.run(check)->verdict, RunVerdict::good);  // and change nothing else
  EXPECT_EQ(rig.runs(RunVerdict::missed), 0u);
}

TEST(CoreViews, InputsThatMakeNoSenseAreIgnored) {
  Rig rig(plan_of({log_to_alert()}));
  const StartCheck check = rig.next_check(0, 0);
  const auto held = Rig::result(Outcome::held, rig.now, rig.now);
  rig.feed(CheckDone{{7, 1}, false, 0, 0, held});
  rig.feed(CheckDone{{0, 99}, false, 0, 0, held});
  rig.feed(CheckDone{check.run, false, 9, 0, held});
  rig.feed(CheckDone{check.run, false, 1, 0, held});
  rig.feed(CheckDone{check.run, false, 0, 1, held});
  rig.feed(CheckDone{check.run, true, 0, 0, held});
  rig.feed(Covered{9, rig.now, rig.now});
  rig.feed(OutOfSight{9, {}});
  rig.feed(EvidenceSeen{9, {check.marker, 1, rig.now, rig.now, {}}});
  rig.feed(Trigger{9});
  EXPECT_FALSE(rig.run(check)->stages[0].verdict);
  EXPECT_FALSE(rig.run(check)->stages[1].seen_hi);
  rig.hold(check, rig.now);
  EXPECT_EQ(rig.run(check)->stages[0].verdict, StageVerdict::on_time);
}

}  // namespace
}  // namespace slosonde::engine
