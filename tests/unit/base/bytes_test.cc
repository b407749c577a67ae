#include "probe/base/bytes.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace slosonde {
namespace {

using namespace std::chrono_literals;

TEST(Bytes, ReadBackWhatWasWritten) {
  ByteWriter writer;
  writer.put(uint64_t{0});
  writer.put(std::numeric_limits<uint64_t>::max());
  writer.put_signed(std::numeric_limits<int64_t>::min());
  writer.put_signed(std::numeric_limits<int64_t>::max());
  writer.put_signed(-1);
  writer.put(std::string_view("a\0b", 3));
  writer.put(std::string_view());
  writer.put(true);
  writer.put(std::optional<Duration>());
  writer.put(std::optional<Duration>(-5ms));
  writer.put(kNever);
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.number(), 0U);
  EXPECT_EQ(reader.number(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(reader.signed_number(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(reader.signed_number(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(reader.signed_number(), -1);
  EXPECT_EQ(reader.text(3), std::string("a\0b", 3));
  EXPECT_EQ(reader.text(0), "");
  EXPECT_TRUE(reader.flag());
  EXPECT_FALSE(reader.maybe([&] { return reader.duration(); }));
  EXPECT_EQ(reader.maybe([&] { return reader.duration(); }), Duration(-5ms));
  EXPECT_EQ(reader.instant(), kNever);
  EXPECT_TRUE(reader.ended_well());
}

TEST(Bytes, SmallNumbersAreShort) {
  ByteWriter writer;
  writer.put(uint64_t{127});
  writer.put_signed(-64);
  EXPECT_EQ(writer.bytes().size(), 2U);
}

TEST(Bytes, WhatIsLeftOverIsNotWell) {
  ByteReader reader("\1\2");
  EXPECT_EQ(reader.number(), 1U);
  EXPECT_FALSE(reader.failed());
  EXPECT_FALSE(reader.ended_well());
}

TEST(Bytes, EndsEarlyOrTooLargeReadAsNothing) {
  for (const std::string_view bytes : {"", "\xFF",
                                       "\x05"
                                       "abc",
                                       "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"}) {
    ByteReader reader(bytes);
    EXPECT_EQ(reader.text(4), "");
    EXPECT_EQ(reader.number(), 0U);
    EXPECT_EQ(reader.signed_number(), 0);
    EXPECT_TRUE(reader.failed());
    EXPECT_FALSE(reader.ended_well());
  }
  ByteReader reader("\x03");
  EXPECT_FALSE(reader.flag()) << "neither true nor false";
  EXPECT_TRUE(reader.failed());
}

TEST(Bytes, AnythingCanBeRead) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 20, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ByteReader reader(bytes);
    while (!reader.failed()) {
      (void)reader.number();
      EXPECT_LE(reader.text(10).size(), 10U);
    }
  }
}

}  // namespace
}  // namespace slosonde
