#include "probe/store/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/unit/store/faulty_files.h"
#include "tests/unit/store/kept.h"

namespace slosonde::store {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr Instant kNow = instant_from_unix_ns(1'769'817'600'000'000'000);

class WriterTest : public testing::Test {
 protected:
  WriterOptions options() {
    return {.file = {.path = "/state.db", .vfs = files_.name()},
            .now = [] { return kNow; },
            .retry_first = 1ms,
            .retry_longest = 4ms};
  }
  std::unique_ptr<Writer> make() {
    auto file = StateFile::open(options().file, kNow);
    return file ? std::make_unique<Writer>(std::move(*file), options())
                : std::make_unique<Writer>(std::nullopt, options());
  }
  // Asks again and again.
  void wait_until(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!holds()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }
  Contents held() {
    auto file = StateFile::open(options().file, kNow);
    return file ? Contents::of(file->take_loaded()) : Contents();
  }

  FaultyFiles files_;
};

TEST_F(WriterTest, CommitsWhatItIsOffered) {
  Contents wanted;
  const auto writer = make();
  EXPECT_TRUE(writer->wants_whole());
  for (int n = 0; n < 20; ++n) {
    writer->offer(nth_batch(n));
    wanted.apply(nth_batch(n));
    wait_until([&] { return writer->idle(); });
  }
  EXPECT_FALSE(writer->wants_whole());
  EXPECT_EQ(writer->status().committed, 20U);
  EXPECT_TRUE(writer->status().writable);
  wanted.apply(nth_batch(20));
  EXPECT_TRUE(writer->finish([](bool whole) {
    EXPECT_FALSE(whole);
    return nth_batch(20);
  }));
  EXPECT_EQ(held(), wanted);
}

TEST_F(WriterTest, WhatIsOfferedAtTheEndIsCommittedBeforeTheLastBatch) {
  const auto writer = make();
  writer->offer(nth_batch(0));
  EXPECT_TRUE(writer->finish([](bool) { return nth_batch(1); }));
  Contents wanted;
  wanted.apply(nth_batch(0));
  wanted.apply(nth_batch(1));
  EXPECT_EQ(held(), wanted);
}

TEST_F(WriterTest, AFullDiskIsTriedAgainUntilThereIsSpace) {
  const auto writer = make();
  writer->offer(nth_batch(0));
  wait_until([&] { return writer->idle(); });
  files_.fail_at(1, Fault::full);
  writer->offer(nth_batch(1));
  wait_until([&] { return writer->status().failures >= 5; });
  EXPECT_FALSE(writer->idle());
  EXPECT_FALSE(writer->status().writable);
  EXPECT_THAT(writer->status().error, HasSubstr("/state.db"));
  EXPECT_THAT(writer->status().error, HasSubstr("full"));
  files_.heal();
  wait_until([&] { return writer->idle(); });
  EXPECT_TRUE(writer->status().writable);
  EXPECT_EQ(writer->status().error, "");
  EXPECT_FALSE(writer->wants_whole());
  Contents wanted;
  wanted.apply(nth_batch(0));
  wanted.apply(nth_batch(1));
  EXPECT_TRUE(writer->finish([](bool) { return Batch(); }));
  EXPECT_EQ(held(), wanted);
}

TEST_F(WriterTest, AFileThatCouldNotBeOpenedAtTheStartIsOpenedLater) {
  files_.fail_at(1, Fault::read_only);
  const auto writer = make();
  writer->offer(nth_batch(0));
  wait_until([&] { return writer->status().failures >= 2; });
  files_.heal();
  wait_until([&] { return writer->idle(); });
  EXPECT_TRUE(writer->status().writable);
}

TEST_F(WriterTest, EndsThoughTheDiskIsFull) {
  const auto writer = make();
  files_.fail_at(1, Fault::full);
  writer->offer(nth_batch(0));
  wait_until([&] { return writer->status().failures >= 1; });
  EXPECT_FALSE(writer->finish([](bool) { return nth_batch(1); }));
}

TEST_F(WriterTest, AWholeBatchMakesGoodAtTheEndWhatCouldNotBeCommitted) {
  auto slow = options();
  slow.retry_first = slow.retry_longest = 1h;
  Writer writer(std::move(*StateFile::open(slow.file, kNow)), slow);
  files_.fail_at(1, Fault::full);
  writer.offer(nth_batch(0));
  wait_until([&] { return writer.status().failures >= 1; });
  files_.heal();
  EXPECT_TRUE(writer.finish([](bool whole) {
    EXPECT_TRUE(whole);
    return nth_batch(0);
  }));
  Contents wanted;
  wanted.apply(nth_batch(0));
  EXPECT_EQ(held(), wanted);
}

TEST_F(WriterTest, WhatAFileHeldThatCouldNotBeReadAtTheStartIsKeptApart) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("late-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  auto real = options();
  real.file = {.path = folder / "state.db"};
  ASSERT_TRUE(StateFile::open(real.file, kNow)->commit(nth_batch(0)));
  {
    Writer writer(std::nullopt, real);
    writer.offer(nth_batch(6));
    wait_until([&] { return writer.idle(); });
    EXPECT_TRUE(writer.status().writable);
  }
  auto aside = real.file;
  aside.path += ".damaged-2026-01-31T00:00:00.000Z";
  Contents before;
  before.apply(nth_batch(0));
  EXPECT_EQ(Contents::of(StateFile::open(aside, kNow)->take_loaded()), before);
  EXPECT_EQ(StateFile::open(real.file, kNow)->take_loaded().runs.size(), 1U);
  std::filesystem::remove_all(folder);
}

// On the real file system: what is moved aside is renamed there.
TEST_F(WriterTest, AFileDamagedWhileItRunsIsMovedAsideAndAWholeBatchIsWanted) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("writer-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  auto real = options();
  real.file = {.path = folder / "state.db"};
  {
    Writer writer(std::move(*StateFile::open(real.file, kNow)), real);
    for (int n = 0; n < 3; ++n) {
      writer.offer(nth_batch(n));
      wait_until([&] { return writer.idle(); });
    }
    // Somebody has written over it.
    std::filesystem::resize_file(real.file.path + "-wal", 0);
    std::ofstream(real.file.path, std::ios::binary) << std::string(8192, '\0');
    for (int n = 3; !writer.wants_whole() && n < 20; ++n) {
      Batch large = nth_batch(n);  // more than is held in memory
      for (int block = 0; block < 5000; ++block)
        large.counts.push_back({"sli 0", 10s, block * 7 % 5000, std::string(300, 'x')});
      writer.offer(std::move(large));
      wait_until([&] { return writer.idle(); });
    }
    ASSERT_TRUE(writer.wants_whole());
    EXPECT_FALSE(writer.status().writable);
    writer.offer(nth_batch(0));
    wait_until([&] { return writer.idle(); });
    EXPECT_TRUE(writer.status().writable);
    EXPECT_EQ(writer.status().moved_aside, 1U);
    EXPECT_THAT(writer.status().last_aside, HasSubstr("damaged-2026-01-31"));
  }
  auto file = StateFile::open(real.file, kNow);
  Contents wanted;
  wanted.apply(nth_batch(0));
  EXPECT_EQ(Contents::of(file->take_loaded()), wanted);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace slosonde::store
