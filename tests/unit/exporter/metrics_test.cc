#include "exporter/metrics.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "exporter/text.h"
#include "tests/unit/exporter/sample.h"

namespace slosonde::exporter {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string engine_text(const engine::Snapshot& snapshot) {
  Families families;
  collect_runs(snapshot, families);
  collect_stages(snapshot, families);
  collect_slos(snapshot, families);
  collect_engine(snapshot, families);
  std::string out;
  write_text(families, out);
  return out;
}

std::string whole_text(std::shared_ptr<const engine::Snapshot> snapshot, const io::Inbox& inbox) {
  const Metrics metrics({[&] { return snapshot; }, &inbox, nullptr, "0.1.0", sample::kNow});
  std::string out;
  write_text(metrics.Collect(), out);
  return out;
}

std::set<std::string> series(const std::string& text) {
  std::set<std::string> names;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) continue;
    EXPECT_TRUE(names.insert(line.substr(0, line.rfind(' '))).second) << "twice: " << line;
  }
  return names;
}

TEST(Metrics, EqualTheGoldenText) {
  const std::string path = std::string(SLOSONDE_SOURCE_DIR) + "/tests/unit/exporter/golden/metrics.txt";
  std::stringstream golden;
  golden << std::ifstream(path).rdbuf();
  const std::string text = engine_text(*sample::snapshot());
  if (text != golden.str()) {
    const std::string got = testing::TempDir() + "metrics.txt";
    std::ofstream(got) << text;
    FAIL() << "differs from " << path << "; the new text is in " << got << " (read the difference before copying it)";
  }
}

TEST(Metrics, PromtoolHasNothingToSay) {
  if (::access("/usr/bin/promtool", X_OK) != 0) GTEST_SKIP() << "promtool is not installed (tools/install test)";
  const io::Inbox inbox;
  for (const auto& snapshot : {sample::snapshot(), sample::fresh_snapshot()}) {
    const std::string path = testing::TempDir() + "promtool-" + std::to_string(::getpid()) + ".txt";
    std::ofstream(path) << whole_text(snapshot, inbox);
    FILE* promtool = ::popen(("/usr/bin/promtool check metrics < " + path + " 2>&1").c_str(), "r");
    ASSERT_NE(promtool, nullptr);
    std::string said;
    char part[512];
    while (std::fgets(part, sizeof part, promtool)) said += part;
    EXPECT_EQ(::pclose(promtool), 0);
    EXPECT_EQ(said, "");
    std::remove(path.c_str());
  }
}

TEST(Metrics, CountersAndHistogramsAreThereFromTheStartAtZero) {
  const std::string fresh = engine_text(*sample::fresh_snapshot());
  const std::string later = engine_text(*sample::snapshot());
  const std::set<std::string> at_start = series(fresh);
  std::istringstream in(later);
  std::map<std::string, std::string> types;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      std::string name;
      words >> name >> types[name];
    } else if (!line.starts_with("#")) {
      std::string name = line.substr(0, line.find_first_of("{ "));
      for (const char* suffix : {"_bucket", "_sum", "_count"}) {
        if (name.ends_with(suffix)) name.resize(name.size() - std::string(suffix).size());
      }
      if (types[name] == "gauge") continue;
      EXPECT_TRUE(at_start.contains(line.substr(0, line.rfind(' ')))) << line;
    }
  }
  EXPECT_THAT(
      fresh, HasSubstr("slosonde_stage_failures_total{transaction=\"console\",stage=\"up\",reason=\"too_large\"} 0\n"));
  EXPECT_THAT(fresh, HasSubstr("slosonde_sli_unjudged_total{slo=\"alert-delivered\",reason=\"excluded\"} 0\n"));
  EXPECT_THAT(fresh, HasSubstr("slosonde_runs_total{transaction=\"console\",verdict=\"probe_fault\"} 0\n"));
  EXPECT_THAT(fresh,
              HasSubstr("slosonde_stage_latency_seconds_bucket{transaction=\"console\",stage=\"up\",le=\"+Inf\"} 0\n"));
}

TEST(Metrics, GaugesWithNothingToSayAreAbsent) {
  const std::string fresh = engine_text(*sample::fresh_snapshot());
  for (const char* name : {"slosonde_slo_burn_rate", "slosonde_slo_coverage_ratio", "_budget_remaining", "_expiry_",
                           "_percentile_", "slosonde_watch_in_sight", "slosonde_witness_reachable"}) {
    EXPECT_THAT(fresh, Not(HasSubstr(name)));
  }
  EXPECT_THAT(fresh, HasSubstr("slosonde_slo_objective_ratio{slo=\"alert-delivered\"} 0.999\n"));
}

TEST(Metrics, WatchesOfOneNameAndAPeriodThatIsAlsoAWindowMakeNoSeriesTwice) {
  auto snapshot = sample::snapshot();
  snapshot->slos[0].windows.push_back(snapshot->slos[0].period);
  const std::set<std::string> names = series(engine_text(*snapshot));
  EXPECT_TRUE(names.contains("slosonde_watch_in_sight{watch=\"kafka incidents\",kind=\"kafka\"}"));
  EXPECT_TRUE(names.contains("slosonde_watch_in_sight{watch=\"kafka incidents #2\",kind=\"kafka\"}"));
  EXPECT_TRUE(names.contains("slosonde_slo_burn_rate{slo=\"alert-delivered\",window=\"30d\"}"));
}

TEST(Metrics, WatchedStagesHaveNoCheckPhases) {
  const std::string text = engine_text(*sample::snapshot());
  EXPECT_THAT(text, HasSubstr("slosonde_check_phase_seconds_count{transaction=\"log-to-alert\",stage=\"ingest\""));
  EXPECT_THAT(text, Not(HasSubstr("slosonde_check_phase_seconds_count{transaction=\"log-to-alert\",stage=\"alert\"")));
}

TEST(Metrics, TimesFollowTheWallClock) {
  auto snapshot = sample::snapshot();
  snapshot->wall_offset = std::chrono::hours(1);
  EXPECT_THAT(engine_text(*snapshot), HasSubstr("slosonde_engine_last_turn_timestamp_seconds 1769855400\n"));
}

TEST(Metrics, WithoutASnapshotTheProcessStillSpeaks) {
  io::Inbox inbox(10);
  EXPECT_FALSE(inbox.post(11, [] {}));
  const std::string text = whole_text(nullptr, inbox);
  EXPECT_THAT(text, HasSubstr("slosonde_build_info{version=\"0.1.0\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("slosonde_inbox_dropped_total 1\n"));
  EXPECT_THAT(text, HasSubstr("slosonde_config_last_reload_successful 1\n"));
  EXPECT_THAT(text, HasSubstr("slosonde_config_last_reload_success_timestamp_seconds 1769851800\n"));
  EXPECT_THAT(text, HasSubstr("\nprocess_resident_memory_bytes "));
  EXPECT_THAT(text, HasSubstr("\nprocess_cpu_seconds_total "));
  EXPECT_THAT(text, Not(HasSubstr("slosonde_runs_total")));
}

std::map<std::string, double> process_figures(const ProcessFigures& process) {
  Families families;
  process.collect(families);
  std::map<std::string, double> values;
  for (const auto& family : families) {
    const auto& metric = family.metric.at(0);
    values[family.name] = metric.gauge.value + metric.counter.value;
  }
  return values;
}

TEST(ProcessFigures, ReadEvenWithoutAFreeDescriptor) {
  const ProcessFigures process;
  const auto before = process_figures(process);
  ASSERT_EQ(before.size(), 6U);
  std::vector<int> taken;
  for (int i = 0; i < 5; ++i) taken.push_back(::dup(0));
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit none = limit;
  none.rlim_cur = 3;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto figures = process_figures(process);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  for (const int fd : taken) ::close(fd);
  EXPECT_EQ(figures.at("process_open_fds"), before.at("process_open_fds") + static_cast<double>(taken.size()));
  EXPECT_EQ(figures.at("process_max_fds"), 3);
  EXPECT_GT(figures.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(figures.at("process_virtual_memory_bytes"), figures.at("process_resident_memory_bytes"));
  const auto now = static_cast<double>(::time(nullptr));
  EXPECT_LE(figures.at("process_start_time_seconds"), now + 2);
  EXPECT_GT(figures.at("process_start_time_seconds"), now - 3600);
}

}  // namespace
}  // namespace slosonde::exporter
