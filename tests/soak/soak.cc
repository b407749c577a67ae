// Does anything grow? The whole engine (core, launcher, coroutines, supervisors, snapshots, state file) makes millions
// of runs on a virtual clock, over a transport that is simulated in this process: most are good; some targets refuse,
// hang or answer late; evidence is lost, late, doubled, or somebody else's. After half of the runs everything that
// may fill has been filled; from then on memory may grow by 1 MiB and descriptors by none.
//
//   soak RUNS     exits with 0 when nothing grew, 1 when something did
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "probe/engine/service.h"
#include "probe/store/state_file.h"
#include "probe/store/writer.h"
#include "tests/unit/engine/launcher_world.h"

namespace slosonde::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kMayGrow_bytes = 1 << 20;
constexpr uint64_t kLeastRuns = 120'000;  // half of them take six hours, the longest window of percentiles
constexpr size_t kTransactions = 4;
constexpr Duration kEvery = milliseconds(1400);

// What the targets do next: by a count, so that a soak can be repeated.
class Fate {
 public:
  bool one_in(uint64_t n) { return ++drawn_ % n == 0; }

 private:
  uint64_t drawn_ = 0;
};

// The place in which markers turn up: what was sent, and when it is to be seen.
class Place final : public checks::Watch {
 public:
  Place(TestIo& io, Fate& fate) : io_(io), fate_(fate) {}

  void send(std::string_view marker) {
    if (fate_.one_in(101)) return;  // lost
    const Duration takes = fate_.one_in(53) ? seconds(4) : milliseconds(300);
    coming_.emplace(io_.now() + takes, marker);
    if (fate_.one_in(31)) coming_.emplace(io_.now() + takes + milliseconds(50), marker);
    if (fate_.one_in(17)) coming_.emplace(io_.now() + milliseconds(20), "not a marker: sonde1-aaaaaaaa-bbbb-cccc");
  }

  boost::asio::awaitable<Error> watch(checks::WatchSink& sink) override {
    Instant covered = io_.now();
    for (;;) {
      for (; !coming_.empty() && coming_.begin()->first <= io_.now(); coming_.erase(coming_.begin())) {
        const auto& [at, text] = *coming_.begin();
        sink.evidence({text, ++items_, at, at, checks::EvidencePhase::none});
      }
      sink.covered(covered, io_.now());
      covered = io_.now();
      if (fate_.one_in(9973)) sink.out_of_sight({ErrorCode::connect_refused, "the place refuses for a moment"});
      co_await io_.sleep_until(covered + milliseconds(500));
    }
  }

 private:
  TestIo& io_;
  Fate& fate_;
  std::multimap<Instant, std::string> coming_;
  uint64_t items_ = 0;
};

std::shared_ptr<checks::Check> target(TestIo& io, Fate& fate, Place& place) {
  return std::make_shared<TestCheck>([&](checks::RunContext& context) -> io::Awaitable<checks::CheckResult> {
    const bool hangs = fate.one_in(211);
    checks::CheckResult result = held();
    result.sent = io.now();
    if (fate.one_in(97)) {
      result.outcome = checks::Outcome::refused;
      result.error = {ErrorCode::connect_refused, "connection refused"};
    } else {
      place.send(context.marker);
    }
    const Instant answers = io.now() + (hangs ? Duration(hours(1)) : Duration(milliseconds(20)));
    co_await io.sleep_until(answers);
    result.received = io.now();
    co_return result;
  });
}

Equipment equipment(TestIo& io, Fate& fate) {
  Plan plan;
  plan.probe = "soak";
  plan.zone = "a";
  plan.key = Secret("0123456789abcdef0123456789abcdef");
  plan.settle = seconds(5);
  plan.max_lateness = seconds(1);
  plan.watches = {{"place", "simulated"}};
  auto place = std::make_shared<Place>(io, fate);
  Equipment made;
  made.watches = {place};
  const auto check = target(io, fate, *place);
  for (size_t i = 0; i < kTransactions; ++i) {
    TransactionPlan transaction;
    transaction.name = "t" + std::to_string(i);
    transaction.every = kEvery;
    transaction.max_in_flight = 8;
    transaction.linger = seconds(3);
    transaction.stages.resize(2);
    transaction.stages[0].name = "send";
    transaction.stages[0].within = milliseconds(500);
    transaction.stages[1].name = "see";
    transaction.stages[1].mode = StageMode::watched;
    transaction.stages[1].within = seconds(3);
    plan.transactions.push_back(std::move(transaction));
    made.checks.push_back({check, nullptr});
    made.finally.emplace_back();
    SloPlan slo;
    slo.name = plan.transactions[i].name;
    slo.objective_ppb = 990'000'000;
    slo.window = hours(1);  // full by then, too
    slo.transaction = i;
    plan.slos.push_back(std::move(slo));
  }
  made.plan = std::make_shared<const Plan>(std::move(plan));
  return made;
}

std::optional<StateOptions> state_in(const std::filesystem::path& folder, TestIo& io) {
  store::WriterOptions options;
  options.file.path = (folder / "state.db").string();
  options.now = [now = io.now()] { return now; };
  auto file = store::StateFile::open(options.file, io.now());
  if (!file) {
    std::fprintf(stderr, "soak: %s\n", file.error().text.c_str());
    return std::nullopt;
  }
  StateOptions state;
  state.path = options.file.path;
  state.commit_every = seconds(1);
  state.writer = std::make_unique<store::Writer>(std::optional(std::move(*file)), std::move(options));
  return state;
}

struct Sizes {
  uint64_t memory_bytes = 0;
  size_t descriptors = 0;
};

Sizes sizes() {
  malloc_trim(0);  // what is free is not held
  uint64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  Sizes now{resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)), 0};
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) ++now.descriptors;
  return now;
}

uint64_t decided(const Service& service) {
  uint64_t sum = 0;
  const auto snapshot = service.snapshot();
  for (const TransactionStats& one : snapshot->transactions) {
    for (const uint64_t count : one.verdicts) sum += count;
  }
  return sum;
}

// Until so many runs have been decided.
Sizes run_to(uint64_t runs, TestIo& io, const Service& service) {
  while (decided(service) < runs) io.run_for(std::chrono::minutes(1));
  const Sizes now = sizes();
  std::printf("%10llu runs: %8.2f MiB, %zu descriptors\n", static_cast<unsigned long long>(decided(service)),
              static_cast<double>(now.memory_bytes) / (1 << 20), now.descriptors);
  std::fflush(stdout);
  return now;
}

bool all_happened(const Service& service) {
  bool all = true;
  const auto snapshot = service.snapshot();
  std::array<uint64_t, kStageVerdicts> seen{};
  for (const TransactionStats& one : snapshot->transactions) {
    for (const StageStats& stage : one.stages) {
      for (size_t v = 0; v < kStageVerdicts; ++v) seen[v] += stage.verdicts[v];
    }
  }
  for (const StageVerdict wanted :
       {StageVerdict::on_time, StageVerdict::late, StageVerdict::lost, StageVerdict::failed, StageVerdict::skipped}) {
    std::printf("%10llu stages %s\n", static_cast<unsigned long long>(seen[static_cast<size_t>(wanted)]),
                std::string(name(wanted)).c_str());
    all = all && seen[static_cast<size_t>(wanted)] > 0;
  }
  const StateStatus& state = *snapshot->state;
  std::printf("%10llu commits, %llu of them failed\n", static_cast<unsigned long long>(state.commits + state.failures),
              static_cast<unsigned long long>(state.failures));
  return all && state.commits > 0 && state.failures == 0;
}

int soak(uint64_t runs, const std::filesystem::path& folder) {
  TestIo io;
  Fate fate;
  ServiceOptions options;
  options.state = state_in(folder, io);
  if (!options.state) return 1;
  Service service(io, equipment(io, fate), std::move(options));
  service.start();
  const Sizes full = run_to(runs / 2, io, service);
  run_to(runs / 4 * 3, io, service);
  const Sizes last = run_to(runs, io, service);
  const bool happened = all_happened(service);
  bool stopped = false;
  service.drain(seconds(10), [&] { stopped = true; });
  io.run_for(seconds(30));
  const auto grown = static_cast<double>(last.memory_bytes) - static_cast<double>(full.memory_bytes);
  const bool fine = last.memory_bytes <= full.memory_bytes + kMayGrow_bytes && last.descriptors == full.descriptors;
  std::printf("from half of them to the end memory grew by %.0f KiB (allowed: %llu), descriptors by %zd (allowed: 0)\n",
              grown / 1024, static_cast<unsigned long long>(kMayGrow_bytes / 1024),
              static_cast<ssize_t>(last.descriptors) - static_cast<ssize_t>(full.descriptors));
  return fine && happened && stopped ? 0 : 1;
}

}  // namespace
}  // namespace slosonde::engine

int main(int argc, char** argv) {
  uint64_t runs = 0;
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  if (std::from_chars(wanted.data(), wanted.data() + wanted.size(), runs).ec != std::errc() ||
      runs < slosonde::engine::kLeastRuns) {
    std::fputs("usage: soak RUNS (at least 120000)\n", stderr);
    return 2;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "slosonde-soak-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  const int code = slosonde::engine::soak(runs, folder);
  std::filesystem::remove_all(folder);
  return code;
}
