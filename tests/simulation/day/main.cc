// The command: days of the whole probe, one after the other.
#include <chrono>
#include <cstdio>
#include <string_view>

#include "tests/simulation/day/day.h"
#include "tests/simulation/seeds.h"

namespace slosonde::day {
namespace {

struct Options : simulation::Seeds {
  uint64_t each = 1, hours = 24;
};

bool read(int argc, char** argv, Options& options) {
  return simulation::read(argc, argv, options, [&](std::string_view key, uint64_t value) {
    if (key == "--days") return true;  // the swarm's
    if (key == "--each") {
      options.each = value;
    } else if (key == "--hours" && value <= 24) {
      options.hours = value;
    } else {
      return false;
    }
    return true;
  });
}

int run(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  uint64_t days = 0, failed = 0;
  Outcome all;
  for (uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    if (seed % options.each != 0) continue;
    const Terms terms = draw(seed, std::chrono::hours(options.hours));
    const Outcome one = Day(terms).run();
    ++days;
    all.runs += one.runs;
    all.judged += one.judged;
    all.exact += one.exact;
    all.carried += one.carried;
    all.processes += one.processes;
    all.cuts_in_commits += one.cuts_in_commits;
    all.commits += one.commits;
    all.failed_commits += one.failed_commits;
    if (options.seeds == 1) std::printf("%sdigest %016lx\n", describe(terms).c_str(), one.digest);
    if (one.failure.empty()) continue;
    ++failed;
    std::printf("seed %lu: %s\n", seed, one.failure.c_str());
    if (options.verdict_alone) break;
    std::printf("again: tests/simulation/run day --seed %lu --hours %lu\n", seed, options.hours);
    std::fflush(stdout);
  }
  if (days == 0) return 0;
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf(
      "%lu days of %lu hours of the whole probe: %lu runs, %lu of them judged, %lu exactly (%lu over a restart); %lu "
      "processes, %lu of them ended within a commit; %lu commits, %lu failed; in %.0f s\n%lu days failed\n",
      days, options.hours, all.runs, all.judged, all.exact, all.carried, all.processes, all.cuts_in_commits,
      all.commits, all.failed_commits, took, failed);
  return failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace slosonde::day

int main(int argc, char** argv) {
  slosonde::day::Options options;
  options.seeds = 10;
  if (!slosonde::day::read(argc, argv, options)) {
    std::fprintf(stderr, "usage: day [--seeds N] [--from SEED] [--seed S] [--each N] [--hours H] [--verdict]\n");
    return 2;
  }
  return slosonde::day::run(options);
}
