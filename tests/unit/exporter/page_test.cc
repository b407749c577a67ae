#include "exporter/web/page.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "exporter/web/html.h"
#include "tests/unit/exporter/sample.h"

namespace slosonde::exporter {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// Every element is closed, in order; attributes are quoted. Ends with what is wrong, or nothing.
std::string markup_error(const std::string& page) {
  const std::set<std::string> empty = {"meta", "link", "br"};
  std::vector<std::string> open;
  for (size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    if (page.compare(at, 9, "<!doctype") == 0) continue;
    const size_t end = page.find('>', at);
    if (end == std::string::npos) return "unclosed tag at " + page.substr(at, 40);
    const std::string inside = page.substr(at + 1, end - at - 1);
    const std::string name = inside.substr(0, inside.find(' '));
    if (name.starts_with('/')) {
      if (open.empty() || open.back() != name.substr(1)) return "unexpected </" + name.substr(1) + ">";
      open.pop_back();
    } else if (!empty.contains(name)) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

std::string page_of(const engine::Snapshot* snapshot, Instant now = sample::kNow, bool refresh = true) {
  return status_page(snapshot, {}, now, "0.1.0", refresh);
}

TEST(Page, ShowsSlosStagesRunsAndWatches) {
  const auto snapshot = sample::snapshot();
  const std::string page = page_of(snapshot.get());
  EXPECT_EQ(markup_error(page), "");
  EXPECT_THAT(page, HasSubstr("alert-delivered"));
  EXPECT_THAT(page, HasSubstr("Stage alert of log-to-alert: 99.9\u202F% over 30d"));
  EXPECT_THAT(page, HasSubstr("Stage incident of log-to-alert, faster than 13s: 95\u202F% over 30d"));
  EXPECT_THAT(page, HasSubstr("96.7\u202F% <small>of the error budget left"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">1h</th><td class=\"n\">23.7 ×</td><td class=\"n\">100\u202F%</td>"));
  EXPECT_THAT(page, HasSubstr("1 alert active"));
  EXPECT_THAT(page, HasSubstr("burning over 14.4 × in 1h and 5m, since <time"));
  EXPECT_THAT(page, HasSubstr("3.44 s <span class=\"bounds under\">2.90 s – 5.10 s</span>"));
  EXPECT_THAT(page, HasSubstr("9.80 s <span class=\"bounds under\">6.40 s – ∞</span>"));
  EXPECT_THAT(page, HasSubstr("watches webhook /hooks/alert"));
  EXPECT_THAT(page, HasSubstr("alert lost"));
  EXPECT_THAT(page, HasSubstr("answered 503, expected 200 or 202"));
  EXPECT_THAT(page, HasSubstr("href=\"/api/v1/runs/" + sample::marker(703)));
  EXPECT_THAT(page, HasSubstr("127.0.0.1:9192 refused the connection"));
  EXPECT_THAT(page, Not(HasSubstr("secret-capture-value")));
}

TEST(Page, AStageThatExpectsNoneAndSawNoneIsNotShownAsOpen) {
  const auto snapshot = sample::snapshot();
  auto quiet = std::make_shared<engine::RunRecord>(**snapshot->runs.begin());
  quiet->stages[1] = {};
  quiet->stages[1].verdict = engine::StageVerdict::on_time;
  snapshot->runs = {quiet};
  EXPECT_THAT(page_of(snapshot.get()), HasSubstr("<span>incident none</span>"));
}

TEST(Page, EscapesEveryNameAndEveryTextOfATarget) {
  auto snapshot = sample::snapshot();
  const std::string hostile = "\"><script>alert('x')</script>&amp;";
  auto plan = std::make_shared<engine::Plan>(*snapshot->plan);
  plan->probe = plan->zone = plan->region = hostile;
  for (auto& transaction : plan->transactions) {
    transaction.name = hostile;
    for (auto& stage : transaction.stages) stage.name = hostile;
  }
  for (auto& slo : plan->slos) slo.name = hostile;
  for (auto& watch : plan->watches) watch.name = hostile;
  snapshot->plan = plan;
  snapshot->watches[2].error.text = hostile;
  snapshot->slos[0].alerts[0].severity = hostile;
  engine::RunList::Part runs(snapshot->runs.begin(), snapshot->runs.end());
  auto run = std::make_shared<engine::RunRecord>(*runs[2]);
  run->stages[0].error.text = hostile + "\xff";
  runs[2] = run;
  snapshot->runs = engine::RunList();
  snapshot->runs.add(std::make_shared<const engine::RunList::Part>(std::move(runs)));
  const std::string page = page_of(snapshot.get());
  EXPECT_EQ(markup_error(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("alert('x')")));
  EXPECT_THAT(page, HasSubstr("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;"));
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
}

TEST(Page, ReadsWithoutScriptsAndRefreshesOnlyWhenWanted) {
  const auto snapshot = sample::snapshot();
  EXPECT_THAT(page_of(snapshot.get()), HasSubstr("<meta http-equiv=\"refresh\" content=\"10\">"));
  EXPECT_THAT(page_of(snapshot.get(), sample::kNow, false), Not(HasSubstr("http-equiv")));
  EXPECT_THAT(page_of(snapshot.get()), Not(HasSubstr("<script")));
  EXPECT_THAT(page_of(snapshot.get()), HasSubstr("<html lang=\"en\">"));
}

TEST(Page, SaysThatTheEngineIsStuckBeforeAnythingElse) {
  const auto snapshot = sample::snapshot();
  const std::string page = page_of(snapshot.get(), sample::kNow + 42s);
  EXPECT_THAT(page, HasSubstr("<span class=\"tag bad\">engine stuck</span>"));
  EXPECT_THAT(page, HasSubstr("The engine has not turned for 42.0 s"));
}

TEST(Page, IsThereBeforeTheEngineAndBeforeTheFirstRun) {
  EXPECT_EQ(markup_error(page_of(nullptr)), "");
  EXPECT_THAT(page_of(nullptr), HasSubstr("The engine has not started yet."));
  const auto fresh = sample::fresh_snapshot();
  const std::string page = page_of(fresh.get());
  EXPECT_EQ(markup_error(page), "");
  EXPECT_THAT(page, HasSubstr("no events judged yet"));
  EXPECT_THAT(page, HasSubstr("None yet."));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(Page, OneBoundAloneIsCalledWhatItIs) {
  auto snapshot = sample::snapshot();
  auto& percentiles = snapshot->transactions[0].stages[0].percentiles;
  std::erase_if(percentiles, [](const auto& one) { return one.bound == engine::Bound::upper; });
  EXPECT_THAT(page_of(snapshot.get()), HasSubstr("21.3 ms <span class=\"bounds under\">at least 18.7 ms</span>"));
}

TEST(Page, ASpentBudgetIsShownAsSpent) {
  auto snapshot = sample::snapshot();
  snapshot->slos[1].budget_remaining = -0.25;
  const std::string page = page_of(snapshot.get());
  EXPECT_THAT(page, HasSubstr("-25\u202F% <small>of the error budget left"));
  EXPECT_THAT(page, HasSubstr("bar spent"));
  EXPECT_THAT(page, HasSubstr("budget spent"));
}

// One failure of one run burns at 200 and pages nobody: without a word of why, that reads like a broken alert.
TEST(Page, ATierThatWaitsForMoreFailuresSaysSo) {
  auto snapshot = sample::snapshot();
  engine::SloStatus& slo = snapshot->slos[1];
  ASSERT_EQ(snapshot->plan->slos[1].min_bad, 2U);
  for (engine::WindowStatus& window : slo.windows) {
    window.bad = 1;
    window.burn_rate = 200;
  }
  std::string page = page_of(snapshot.get());
  EXPECT_EQ(markup_error(page), "");
  EXPECT_THAT(page, HasSubstr("burning over 14.4 × in 1h and 5m; fires at 519 failures, has 1"));
  EXPECT_THAT(page, HasSubstr(">burning</span>"));
  slo.windows[0].burn_rate = 14;  // not in the short window: the factor keeps it quiet, not the number
  EXPECT_THAT(page_of(snapshot.get()), Not(HasSubstr("fires at 519")));
}

TEST(Html, FiguresReadAsPeopleReadThem) {
  EXPECT_EQ(shown_seconds(0.00042), "0.42 ms");
  EXPECT_EQ(shown_seconds(0.0123), "12.3 ms");
  EXPECT_EQ(shown_seconds(0.312), "312 ms");
  EXPECT_EQ(shown_seconds(0.9999), "1.00 s");
  EXPECT_EQ(shown_seconds(59.96), "1 m 00 s");
  EXPECT_EQ(shown_seconds(7265), "2 h 01 m");
  EXPECT_EQ(shown_percent(0.9995, 5), "99.95\u202F%");
  EXPECT_EQ(shown_percent(1, 1), "100\u202F%");
  EXPECT_EQ(shown_count(999), "999");
  EXPECT_EQ(shown_count(1234567), "1\u202F234\u202F567");
  EXPECT_EQ(shown_factor(0), "0");
  EXPECT_EQ(shown_factor(14.4), "14.4");
  EXPECT_EQ(shown_factor(133.3), "133");
  EXPECT_EQ(shown_factor(0.0123), "0.0123");
  EXPECT_EQ(shown_ago(-5s), "now");
  EXPECT_EQ(shown_ago(59s), "59 s ago");
  EXPECT_EQ(shown_ago(25h), "1 d ago");
}

}  // namespace
}  // namespace slosonde::exporter
