// The command: many seeds, each for many virtual days, on all cores.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/simulation/seeds.h"
#include "tests/simulation/swarm/shrink.h"

namespace slosonde::swarm {
namespace {

struct Options : simulation::Seeds {
  uint64_t days = 30;
};

bool read(int argc, char** argv, Options& options) {
  return simulation::read(argc, argv, options, [&](std::string_view key, uint64_t value) {
    if (key != "--days" || value > 365) return false;
    options.days = value;
    return true;
  });
}

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options), next_(options.first) {}

  int run() {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (unsigned n = std::max(1U, std::thread::hardware_concurrency()); n > 0; --n) {
      threads.emplace_back([this] { work(); });
    }
    for (std::thread& thread : threads) thread.join();
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf(
        "%lu seeds of %lu days: %lu runs, %lu processes, %lu alerts, %lu readings compared, in %.0f s (%.1f us a "
        "run)\n",
        options_.seeds, options_.days, runs_, processes_, alerts_, readings_, took,
        took * 1e6 / static_cast<double>(runs_));
    std::printf("good %lu, bad %lu, blind %lu, probe_fault %lu, missed %lu, excluded %lu\n", verdicts_[0], verdicts_[1],
                verdicts_[2], verdicts_[3], verdicts_[4], verdicts_[5]);
    std::printf("%lu seeds failed\n", failed_);
    return failed_ > 0 ? 1 : 0;
  }

 private:
  void work() {
    for (uint64_t seed = next_++; seed < options_.first + options_.seeds; seed = next_++) {
      const Scenario scenario = draw(seed, static_cast<Time>(options_.days) * kDay);
      const Outcome outcome = World(scenario).run();
      const std::string text = outcome.failures.empty() || options_.verdict_alone ? "" : report(scenario);
      const std::lock_guard lock(mutex_);
      runs_ += outcome.runs;
      readings_ += outcome.readings;
      processes_ += outcome.processes;
      alerts_ += outcome.alerts;
      for (size_t i = 0; i < kRunVerdicts; ++i) verdicts_[i] += outcome.verdicts[i];
      if (options_.seeds == 1) std::printf("%sdigest %016lx\n", describe(scenario).c_str(), outcome.digest);
      if (outcome.failures.empty()) continue;
      ++failed_;
      std::printf("seed %lu: %s\n%s", seed, outcome.failures.front().text.c_str(), text.c_str());
      std::fflush(stdout);
      if (options_.verdict_alone) next_ = options_.first + options_.seeds;
    }
  }

  const Options options_;
  std::atomic<uint64_t> next_;
  std::mutex mutex_;
  uint64_t runs_ = 0, readings_ = 0, processes_ = 0, alerts_ = 0, failed_ = 0;
  std::array<uint64_t, kRunVerdicts> verdicts_{};
};

}  // namespace
}  // namespace slosonde::swarm

int main(int argc, char** argv) {
  slosonde::swarm::Options options;
  options.seeds = 50;
  if (!slosonde::swarm::read(argc, argv, options)) {
    std::fprintf(stderr, "usage: swarm [--seeds N] [--from SEED] [--days D] [--seed S] [--verdict]\n");
    return 2;
  }
  return slosonde::swarm::Runner(options).run();
}
