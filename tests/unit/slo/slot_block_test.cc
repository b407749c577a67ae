#include "probe/slo/slot_block.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/unit/slo/random.h"

namespace slosonde::slo {
namespace {

using Slots = std::array<Counts, kBlockSlots>;

Slots random_slots(Random& random) {
  Slots slots;
  const double change = random.unit();
  Counts counts;
  for (Counts& slot : slots) {
    if (random.chance(change)) {
      counts = Counts{};
      for (size_t i = 0; i < kEvents; ++i)
        if (random.chance(0.4)) counts[static_cast<Event>(i)] = random.next() >> random.below(64);
    }
    slot = counts;
  }
  return slots;
}

TEST(Block, ReadsBackEverySlotInAnyOrder) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const Slots slots = random_slots(random);
    const Block block(slots);
    BlockReader in_order;
    BlockReader anywhere;
    for (int64_t i = 0; i < kBlockSlots; ++i) {
      ASSERT_EQ(in_order.read(block, 7, i), slots[static_cast<size_t>(i)]) << seed;
      const auto any = static_cast<int64_t>(random.below(kBlockSlots));
      ASSERT_EQ(anywhere.read(block, 7, any), slots[static_cast<size_t>(any)]) << seed;
    }
  }
}

TEST(Block, ReaderTellsOneBlockFromTheNext) {
  Slots ones;
  ones.fill(Counts{.good = 1});
  Slots twos;
  twos.fill(Counts{.good = 2});
  BlockReader reader;
  EXPECT_EQ(reader.read(Block(ones), -1, 30).good, 1U);
  EXPECT_EQ(reader.read(Block(twos), 0, 30).good, 2U);
}

TEST(Block, AnHourOfEqualMinutesTakesThreeBytes) {
  Slots slots;
  slots.fill(Counts{.good = 12});
  EXPECT_EQ(Block(slots).bytes().size(), 3U);
  slots.fill(Counts{});
  EXPECT_EQ(Block(slots).bytes().size(), 2U);
}

TEST(Block, AMinuteLikeNoOtherTakesTwoBytes) {
  Slots slots;
  for (size_t i = 0; i < slots.size(); ++i) slots[i].good = 1 + i % 2;
  EXPECT_EQ(Block(slots).bytes().size(), 120U);
}

// As the first version of the state file had them: five kinds, and one of excluded events, in the head byte alone.
TEST(Block, ReadsWhatWasStoredBeforeExcludedEventsWereToldApart) {
  const std::string_view stored("\x80\x06\x01\x04\x13\x2f\x0c\x0f\xa1\x34\x05\x02", 12);
  const auto slots = read_stored(stored);
  ASSERT_TRUE(slots);
  EXPECT_EQ((*slots)[5], Counts{});
  EXPECT_EQ((*slots)[6], Counts{.good = 4});
  EXPECT_EQ((*slots)[7], (Counts{.good = 47, .bad = 12, .missed = 15}));
  EXPECT_EQ((*slots)[8], (Counts{.good = 5, .excluded_unjudged = 2}));
  EXPECT_EQ((*slots)[59], (*slots)[8]);
}

TEST(Block, EveryStoredBlockIsReadBack) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    Slots slots = random_slots(random);
    for (Counts& slot : slots)
      for (size_t i = 0; i < kEvents; ++i) slot[static_cast<Event>(i)] >>= 16;
    const Block block(slots);
    const auto read = read_stored({reinterpret_cast<const char*>(block.bytes().data()), block.bytes().size()});
    ASSERT_TRUE(read) << seed;
    ASSERT_EQ(*read, slots) << seed;
  }
}

TEST(Block, ARareByteThatNamesNoCountIsRefused) {
  EXPECT_TRUE(read_stored(std::string_view("\xc0\x3c\x03\x01\x01", 5)));
  EXPECT_FALSE(read_stored(std::string_view("\xc0\x3c\x07\x01\x01\x01", 6)));
  EXPECT_FALSE(read_stored(std::string_view("\xc0\x3c", 2))) << "it ends before its rare byte";
}

TEST(Block, EqualSlotsMakeEqualBlocks) {
  Random random(5);
  const Slots slots = random_slots(random);
  EXPECT_EQ(Block(slots), Block(slots));
  Slots other = slots;
  ++other[59].missed;
  EXPECT_NE(Block(slots), Block(other));
}

}  // namespace
}  // namespace slosonde::slo
