// What a core holds, by the allocator's own word: operator new and delete are counted for this whole program.
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/unit/engine/core_rig.h"

namespace {
std::atomic<int64_t> live_bytes = 0;
}  // namespace

void* operator new(size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  live_bytes += static_cast<int64_t>(malloc_usable_size(memory) + sizeof(size_t));
  return memory;
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return operator new(size);
}
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  live_bytes -= static_cast<int64_t>(malloc_usable_size(memory) + sizeof(size_t));
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  operator delete(memory);
}

namespace slosonde::engine {
namespace {

Plan demo() {
  Plan plan = plan_of({log_to_alert(), console()});
  plan.slos = {slo_of("alert-delivered", 0, 2), slo_of("incident-fast", 0, 1, 13s)};
  return plan;
}

TEST(CoreMemory, AMillionSightingsOfGarbageAndStrangersLeaveNothing) {
  const auto plan = std::make_shared<const Plan>(demo());
  Core core(plan, {.start = kStart, .epoch = kEpoch});
  Outputs outputs;
  Instant now = kStart;
  const auto turn = [&] {
    for (size_t watch = 0; watch < 2; ++watch) core.feed(now, Covered{watch, now - 1s, now});
    outputs.clear();
    core.advance(now, outputs);
  };
  turn();
  for (int i = 0; i < 100; ++i, now += 1s) turn();
  const ledger::MarkerCodec ours(plan->key), other(Secret("another key"));
  const uint64_t stream = ours.stream("probe-a", "log-to-alert");
  const std::vector<std::string> texts = {"garbage without any marker at all",
                                          "sonde1-aaaaaaaa-aaaaaaaaaa-aaaaaaaa-aaaaaaaaaaaaaa",
                                          "sonde1-sonde1-sonde1-",
                                          other.marker({stream, kEpoch, 3}),
                                          ours.marker({stream ^ 1, kEpoch, 3}),
                                          ours.marker({stream, kEpoch - 1, 3}),
                                          ours.marker({stream, kEpoch, 1'000'000}),
                                          ours.marker({stream, kEpoch, 3}),  // of an open run, over and over
                                          "sondep-aaaaaaaaaaaaaaaaaaaaaaaaaa sondep-"};
  int64_t before = 0;
  for (uint64_t i = 0; i < 1'000'000; ++i) {
    if (i == 10'000) before = live_bytes;
    core.feed(now, EvidenceSeen{i % 2, {texts[i % texts.size()], i, now, now, {}}});
  }
  outputs.clear();
  outputs.shrink_to_fit();
  core.advance(now, outputs);
  outputs.clear();
  outputs.shrink_to_fit();
  EXPECT_LE(live_bytes - before, 4096);
  const auto view = core.snapshot(now);
  EXPECT_GT(view->transactions[0].stages[1].sightings[static_cast<size_t>(Sighting::foreign)], 100'000u);
  EXPECT_GT(view->transactions[0].stages[1].sightings[static_cast<size_t>(Sighting::unexpected)], 50'000u);
  EXPECT_GT(view->transactions[0].stages[1].sightings[static_cast<size_t>(Sighting::duplicate)], 50'000u);
}

// A day of the demo's rates: what is kept is bounded, and small.
TEST(CoreMemory, ADayOfRunsKeepsNoMoreThanAnHour) {
  Rig rig(demo());
  const auto live_for = [&](Duration length) {
    const Instant end = rig.now + length;
    while (rig.now < end) {
      rig.forget();
      rig.to(std::min(rig.core.next_due(), end));
      for (const StartCheck& check : std::vector(rig.checks)) {
        rig.feed(CheckDone{check.run, false, 0, 0, Rig::result(checks::Outcome::held, rig.now, rig.now)});
        if (check.run.transaction != 0) continue;
        rig.sight(0, check.marker, check.run.seq, rig.now, rig.now);
        rig.sight(1, check.marker, check.run.seq, rig.now, rig.now);
      }
    }
  };
  live_for(2h);
  const int64_t after_hours = live_bytes;
  live_for(22h);
  EXPECT_GT(rig.runs(RunVerdict::good), 17'000u);
  // Latencies of 6 h and the history of a day are all that has grown.
  EXPECT_LT(live_bytes - after_hours, 400'000);
  EXPECT_LT(live_bytes, 3'000'000);
}

TEST(CoreMemory, ASnapshotIsSmall) {
  Rig rig(demo());
  for (int i = 0; i < 300; ++i) {
    const StartCheck check = rig.next_check(0, 0);
    rig.hold(check, rig.now);
    rig.arrive(0, check.marker, 1, rig.now);
    rig.arrive(1, check.marker, 1, rig.now);
  }
  auto first = rig.view();
  const int64_t before = live_bytes;
  const auto second = rig.view();
  EXPECT_GT(second->runs.size(), 200u);
  EXPECT_LT(live_bytes - before, 60'000);
}

}  // namespace
}  // namespace slosonde::engine
