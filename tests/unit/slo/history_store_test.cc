// What is stored of a history, block by block as it changes, and put back, is the same history.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "probe/slo/history.h"
#include "tests/unit/slo/random.h"

namespace slosonde::slo {
namespace {

using namespace std::chrono_literals;

constexpr Instant kMidnight = instant_from_unix_ns(1'769'817'600'000'000'000);
const std::vector<Duration> kWindows = {5min, 30min, 1h, 2h, 6h, 24h, 72h};

// A store, as plain as can be.
struct Stored {
  std::map<Duration, std::map<int64_t, std::string>> blocks;

  History::BlockVisitor put() {
    return [this](Duration slot, int64_t number, const Block& block) {
      blocks[slot][number] = std::string(block.bytes().begin(), block.bytes().end());
    };
  }
  void forget(const History& history) {
    for (auto& [slot, held] : blocks) held.erase(held.begin(), held.lower_bound(history.first_block(slot)));
  }
  std::vector<StoredBlock> of(Duration slot) const {
    std::vector<StoredBlock> all;
    const auto held = blocks.find(slot);
    if (held == blocks.end()) return all;
    for (const auto& [number, bytes] : held->second) all.push_back({number, bytes});
    return all;
  }
};

void expect_same(const History& restored, const History& kept) {
  ASSERT_EQ(restored.windows(), kept.windows());
  for (const Duration window : kept.windows()) {
    ASSERT_EQ(restored.sum(window), kept.sum(window)) << format_duration(window);
    ASSERT_EQ(restored.unobserved(window), kept.unobserved(window)) << format_duration(window);
  }
}

void operate(History& history, Random& random) {
  Instant t = history.now();
  const double what = random.unit();
  if (what < 0.8) {
    t += random.up_to(1min);
  } else if (what < 0.97) {
    t -= random.up_to(15min);
  } else {
    t += random.up_to(random.chance(0.1) ? 40h * 24 : 8h);
  }
  history.add(t, static_cast<Event>(random.below(kEvents)), 1 + random.below(3));
}

TEST(HistoryStore, WhatWasStoredAsItChangedIsTheSameHistory) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Duration period = random.chance(0.3) ? Duration(4h) : Duration(30 * 24h);
    std::vector<Duration> windows = kWindows;
    std::erase_if(windows, [&](Duration window) { return window > period; });
    auto kept = std::make_unique<History>(kMidnight + random.up_to(24h), period, windows);
    kept->track_changes();
    Stored stored;
    for (int i = 0; i < 3000; ++i) {
      operate(*kept, random);
      if (random.chance(0.1)) {
        kept->take_changed(stored.put());
        stored.forget(*kept);
      }
      if (!random.chance(0.01)) continue;
      // A restart, some time later.
      kept->take_changed(stored.put());
      const Instant now = kept->now() + random.up_to(2h);
      auto restored = std::make_unique<History>(kept->history_start(), period, windows);
      ASSERT_TRUE(restored->restore(stored.of(kFineSlot), stored.of(kCoarseSlot), now));
      kept->advance(now);
      ASSERT_NO_FATAL_FAILURE(expect_same(*restored, *kept));
      restored->track_changes();
      Stored whole;
      restored->visit_blocks(whole.put());
      Stored nothing;
      restored->take_changed(nothing.put());
      EXPECT_TRUE(nothing.blocks.empty()) << "what was put back is stored already";
      stored = whole;
      kept = std::move(restored);
    }
  }
}

TEST(HistoryStore, AWindowMadeLongerHasWhatTheShorterOneKept) {
  History kept(kMidnight, 7 * 24h, {1h});
  for (int i = 0; i < 1000; ++i) kept.add(kMidnight + i * 5min, Event::good);
  Stored stored;
  kept.visit_blocks(stored.put());
  History longer(kMidnight, 30 * 24h, {1h});
  ASSERT_TRUE(longer.restore(stored.of(kFineSlot), stored.of(kCoarseSlot), kept.now()));
  EXPECT_EQ(longer.sum(30 * 24h).good, 1000U);
  EXPECT_EQ(longer.sum(1h), kept.sum(1h));
}

// Fine slots reach back as far as the longest window that was counted by them: a longer one must not take what lies
// before for nothing.
TEST(HistoryStore, AFineWindowMadeLongerHasWhatOnlyTheMinutesKept) {
  History kept(kMidnight, 24h, {5min, 144min}), all_along(kMidnight, 30 * 24h, {1h, 6h});
  Random random(7);
  for (int i = 0; i < 5000; ++i) {
    const auto event = random.chance(0.2) ? Event::bad : Event::good;
    for (History* const history : {&kept, &all_along}) history->add(kMidnight + i * 15s, event);
  }
  for (History* const history : {&kept, &all_along}) history->advance(kMidnight + 21h);
  Stored stored;
  kept.visit_blocks(stored.put());
  stored.forget(kept);
  const Instant fine_since = block_start(kept.now() - kept.longest(kFineSlot), kFineSlot);
  History longer(kMidnight, 30 * 24h, {1h, 6h});
  ASSERT_TRUE(longer.restore(stored.of(kFineSlot), stored.of(kCoarseSlot), kept.now(), fine_since));
  ASSERT_GT(all_along.sum(6h).bad, kept.sum(144min).bad);
  expect_same(longer, all_along);
  // And loses it as it leaves the window.
  for (int i = 1; i <= 7 * 60; ++i) {
    for (History* const history : {&longer, &all_along}) history->advance(kMidnight + 21h + i * 1min);
    expect_same(longer, all_along);
  }
}

TEST(HistoryStore, WhatLiesInTheFutureIsCountedAsNow) {
  History kept(kMidnight, 24h, {5min});
  kept.add(kMidnight, Event::good);
  kept.add(kMidnight + 2h, Event::bad);
  Stored stored;
  kept.visit_blocks(stored.put());
  History restored(kMidnight, 24h, {5min});
  ASSERT_TRUE(restored.restore(stored.of(kFineSlot), stored.of(kCoarseSlot), kMidnight + 1h));
  EXPECT_EQ(restored.sum(5min).bad, 1U);
  EXPECT_EQ(restored.sum(24h).good, 1U);
  EXPECT_EQ(restored.now(), kMidnight + 1h);
}

TEST(HistoryStore, ABlockThatCannotBeOneIsRefusedAndNothingOfItCounted) {
  History kept(kMidnight, 24h, {5min});
  for (int i = 0; i < 600; ++i) kept.add(kMidnight + i * 1min, static_cast<Event>(i % kEvents));
  Stored stored;
  kept.visit_blocks(stored.put());
  Random random(1);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    Stored damaged = stored;
    auto& held = damaged.blocks[random.chance(0.5) ? kFineSlot : kCoarseSlot];
    auto block = held.begin();
    std::advance(block, random.below(held.size()));
    std::string& bytes = block->second;
    if (random.chance(0.3)) {
      bytes.resize(random.below(bytes.size() + 2));
    } else {
      bytes[random.below(bytes.size())] ^= static_cast<char>(1 + random.below(255));
    }
    History restored(kMidnight, 24h, {5min});
    if (restored.restore(damaged.of(kFineSlot), damaged.of(kCoarseSlot), kept.now())) continue;
    ++refused;
    EXPECT_EQ(restored.sum(24h), Counts{});
    restored.add(kept.now(), Event::good);
    EXPECT_EQ(restored.sum(24h).good, 1U);
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace slosonde::slo
