// What a history takes, by the allocator's own word: operator new and delete are counted for this whole program.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "probe/slo/history.h"
#include "probe/slo/policy.h"
#include "tests/unit/slo/random.h"

namespace {

std::atomic<int64_t> live_bytes = 0;
std::atomic<int64_t> allocations = 0;

}  // namespace

void* operator new(size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  live_bytes += static_cast<int64_t>(malloc_usable_size(memory) + sizeof(size_t));
  ++allocations;
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  live_bytes -= static_cast<int64_t>(malloc_usable_size(memory) + sizeof(size_t));
  std::free(memory);
}

void operator delete(void* memory, size_t) noexcept {
  operator delete(memory);
}

namespace slosonde::slo {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart = instant_from_unix_ns(1'769'817'600'000'000'000);

std::vector<Duration> usual_windows(Duration period) {
  return windows_of(default_tiers(period), period);
}

TEST(HistoryMemory, NinetyFlatDaysAreSmall) {
  const int64_t before = live_bytes;
  History history(kStart, kLongestPeriod, usual_windows(kLongestPeriod));
  for (Instant t = kStart; t < kStart + kLongestPeriod + 3h; t += 15s) history.add(t, Event::good);
  EXPECT_EQ(history.sum(kLongestPeriod).good, 90U * 86'400 / 15 + 4);  // and the minute now filling
  const int64_t taken = live_bytes - before;
  RecordProperty("bytes", std::to_string(taken));
  EXPECT_LT(taken, 64 * 1024);
  EXPECT_LT(history.memory_bytes(), static_cast<size_t>(taken) + sizeof(History));
  EXPECT_GT(history.memory_bytes(), static_cast<size_t>(taken) / 2);
}

TEST(HistoryMemory, NinetyDaysWithoutTwoEqualMinutesAreBounded) {
  const int64_t before = live_bytes;
  Random random(1);
  History history(kStart, kLongestPeriod, usual_windows(kLongestPeriod));
  for (Instant t = kStart; t < kStart + kLongestPeriod + 3h; t += 1min) {
    history.add(t, Event::good, 1 + random.below(100));
    if (random.chance(0.1)) history.add(t, Event::bad);
  }
  const int64_t taken = live_bytes - before;
  RecordProperty("bytes", std::to_string(taken));
  EXPECT_LT(taken, 600 * 1024);
}

TEST(HistoryMemory, ACopySharesThePast) {
  Random random(1);
  History history(kStart, kLongestPeriod, usual_windows(kLongestPeriod));
  for (Instant t = kStart; t < kStart + kLongestPeriod; t += 1min) history.add(t, Event::good, random.below(100));
  const int64_t bytes_before = live_bytes;
  const int64_t allocations_before = allocations;
  const History copy = history;
  const int64_t taken = live_bytes - bytes_before;
  const int64_t count = allocations - allocations_before;
  RecordProperty("bytes", std::to_string(taken));
  EXPECT_EQ(copy.sum(kLongestPeriod), history.sum(kLongestPeriod));
  EXPECT_LT(taken, 16 * 1024);
  EXPECT_LE(count, 4);
}

TEST(HistoryMemory, AddingAllocatesOnlyWhenABlockIsSealed) {
  History history(kStart, kDefaultPeriod, usual_windows(kDefaultPeriod));
  history.advance(kStart + 2h);
  const int64_t before = allocations;
  for (int i = 0; i < 100'000; ++i) history.add(kStart + 2h + i * 1ms, i % 7 == 0 ? Event::bad : Event::good);
  EXPECT_EQ(allocations - before, 0);
}

}  // namespace
}  // namespace slosonde::slo
