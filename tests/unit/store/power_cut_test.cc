// Every operation on the files fails in its turn, in every way; what was acknowledged must still be there, and the file
// whole.
#include <gtest/gtest.h>

#include "probe/store/state_file.h"
#include "tests/unit/store/faulty_files.h"
#include "tests/unit/store/kept.h"

namespace slosonde::store {
namespace {

constexpr Instant kNow = instant_from_unix_ns(1'769'817'600'000'000'000);
constexpr const char* kPath = "/state.db";
constexpr int kBatches = 12;

// One life of a file: batches are committed, something fails, and what is found afterwards is compared.
struct Life {
  FaultyFiles files;
  Contents sure;          // acknowledged
  int next = 0;           // the batch that comes next
  bool in_doubt = false;  // it was tried, and failed

  StoreResult<StateFile> open() { return StateFile::open({.path = kPath, .vfs = files.name()}, kNow); }

  // As many batches as can be committed.
  StoreResult<void> work(StateFile& file) {
    for (; next < kBatches; ++next) {
      const Batch batch = nth_batch(next);
      in_doubt = true;
      if (auto done = file.commit(batch); !done) return done;
      in_doubt = false;
      sure.apply(batch);
    }
    return {};
  }

  // What is held must be what was acknowledged, or that and all of the batch whose commit failed.
  void expect_nothing_lost() {
    {
      auto file = open();
      ASSERT_TRUE(file) << file.error().text;
      ASSERT_FALSE(file->moved_aside()) << file->moved_aside()->why;
      const Contents held = Contents::of(file->take_loaded());
      Contents perhaps = sure;
      if (in_doubt) perhaps.apply(nth_batch(next));
      ASSERT_TRUE(held == sure || held == perhaps) << next << " batches were acknowledged; held:" << held;
    }
    auto database = Database::open(kPath, files.name());
    ASSERT_TRUE(database);
    EXPECT_EQ(database->pragma("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
  }
};

class PowerCut : public testing::TestWithParam<uint64_t> {};

TEST_P(PowerCut, LosesNothingThatWasAcknowledged) {
  std::mt19937_64 random(GetParam());
  int64_t operation = 0;
  for (bool met = true; met;) {
    SCOPED_TRACE(++operation);
    Life life;
    life.files.fail_at(operation, Fault::power_cut);
    if (auto file = life.open()) (void)life.work(*file);
    met = life.files.dead();
    life.files.come_back(random);
    ASSERT_NO_FATAL_FAILURE(life.expect_nothing_lost());
  }
  EXPECT_GT(operation, 60) << "so little was written that hardly anything was tried";
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerCut, testing::Range<uint64_t>(1, 9));

// One operation fails; the same file goes on with the same batch.
TEST(IoError, LeavesTheFileFitToGoOnWith) {
  int64_t operation = 0;
  for (bool met = true; met;) {
    SCOPED_TRACE(++operation);
    Life life;
    life.files.fail_at(operation, Fault::once);
    for (int tries = 0; life.next < kBatches; ++tries) {
      ASSERT_LT(tries, 4);
      auto file = life.open();
      if (!file) continue;
      if (!life.work(*file)) (void)life.work(*file);
    }
    met = life.files.operations() >= operation;
    EXPECT_FALSE(life.in_doubt);
    ASSERT_NO_FATAL_FAILURE(life.expect_nothing_lost());
  }
}

class NoSpace : public testing::TestWithParam<Fault> {};

// From some operation on nothing can be written, until there is space again.
TEST_P(NoSpace, LosesNothingAndIsOverOnceThereIsSpace) {
  int64_t operation = 0;
  for (bool met = true; met;) {
    SCOPED_TRACE(++operation);
    Life life;
    life.files.fail_at(operation, GetParam());
    auto file = life.open();
    if (file) {
      if (const auto done = life.work(*file); !done) {
        EXPECT_EQ(done.error().trouble, Trouble::unable) << done.error().text;
        EXPECT_FALSE(file->commit(nth_batch(life.next))) << "there is still no space";
      }
    } else {
      EXPECT_EQ(file.error().trouble, Trouble::unable) << file.error().text;
    }
    met = life.files.operations() >= operation;
    life.files.heal();
    if (!file) file = life.open();
    ASSERT_TRUE(file) << file.error().text;
    const auto done = life.work(*file);
    ASSERT_TRUE(done) << done.error().text;
    file = trouble(Trouble::unable, "closed");
    ASSERT_NO_FATAL_FAILURE(life.expect_nothing_lost());
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, NoSpace, testing::Values(Fault::full, Fault::read_only));

}  // namespace
}  // namespace slosonde::store
