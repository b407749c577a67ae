#include "probe/store/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>

#include "probe/slo/slot_block.h"
#include "probe/store/schema.h"
#include "tests/unit/store/kept.h"

namespace slosonde::store {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr Instant kNow = instant_from_unix_ns(1'769'817'600'000'000'000);

class StateFileTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  StoreResult<StateFile> open(Instant now = kNow) { return StateFile::open({.path = path_}, now); }
  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }

  fs::path folder_ = fs::path(testing::TempDir()) / ("state-" + std::to_string(::getpid()));
  std::string path_ = folder_ / "state.db";
};

TEST_F(StateFileTest, HoldsWhatWasCommitted) {
  Contents wanted;
  {
    auto file = open();
    ASSERT_TRUE(file) << file.error().text;
    EXPECT_TRUE(file->take_loaded().empty());
    for (int n = 0; n < 30; ++n) {
      ASSERT_TRUE(file->commit(nth_batch(n)));
      wanted.apply(nth_batch(n));
    }
  }
  auto file = open();
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_FALSE(file->moved_aside());
  EXPECT_EQ(Contents::of(file->take_loaded()), wanted);
}

TEST_F(StateFileTest, CountsComeBackInTheOrderOfTime) {
  {
    auto file = open();
    Batch batch;
    batch.slis.push_back({"a", kNow, kNow});
    for (const int64_t block : {300, -5, 7}) batch.counts.push_back({"a", 10s, block, "x"});
    ASSERT_TRUE(file->commit(batch));
  }
  std::vector<int64_t> blocks;
  for (const auto& one : open()->take_loaded().counts) blocks.push_back(one.block);
  EXPECT_THAT(blocks, testing::ElementsAre(-5, 7, 300));
}

TEST_F(StateFileTest, AWholeBatchReplacesAllButCounts) {
  Contents wanted;
  {
    auto file = open();
    for (int n = 0; n < 5; ++n) {
      ASSERT_TRUE(file->commit(nth_batch(n)));
      wanted.apply(nth_batch(n));
    }
    Batch whole = nth_batch(9);
    whole.whole = true;
    ASSERT_TRUE(file->commit(whole));
    wanted.apply(whole);
  }
  const Batch loaded = open()->take_loaded();
  EXPECT_EQ(loaded.alerts.size(), 1U);
  EXPECT_EQ(loaded.slis.size(), 3U);
  EXPECT_GT(loaded.counts.size(), 6U);
  EXPECT_EQ(Contents::of(loaded), wanted);
}

TEST_F(StateFileTest, CountsThatNoConfigurationUsesAreForgottenInTheEnd) {
  {
    auto file = open();
    ASSERT_TRUE(file->commit(nth_batch(0)));
    Batch later;
    later.slis.push_back({"sli 1", kNow, kNow + kUnusedKept});
    ASSERT_TRUE(file->commit(later));
  }
  EXPECT_EQ(open(kNow + 1000 * 24h)->take_loaded().slis.size(), 3U) << "whatever the clock says";
  {
    auto file = open();
    Batch later;
    later.slis.push_back({"sli 1", kNow, kNow + kUnusedKept + 1s});
    ASSERT_TRUE(file->commit(later));
  }
  const Batch loaded = open()->take_loaded();
  ASSERT_EQ(loaded.slis.size(), 1U);
  EXPECT_EQ(loaded.slis[0].definition, "sli 1");
  EXPECT_TRUE(loaded.counts.empty()) << "their counts must go with them";
  EXPECT_TRUE(loaded.alerts.empty());
  EXPECT_FALSE(loaded.watches.empty());
}

TEST_F(StateFileTest, WithNumbersThatCannotBeIsMovedAside) {
  const std::vector<std::function<void(Batch&)>> changes = {
      [](Batch& batch) { batch.counts[0].block = INT64_MAX / 60; },
      [](Batch& batch) { batch.counts[0].slot = 7s; },
      [](Batch& batch) { batch.slis[0].since = kNever; },
      [](Batch& batch) { batch.schedules[0].next_slot = Instant::min(); },
      [](Batch& batch) { batch.alerts[0].state.since = kNever; },
      [](Batch& batch) { batch.alerts[0].state.last_change = Instant::min(); },
      [](Batch& batch) { batch.exclusions = nth_batch(1).exclusions, batch.exclusions->front().ended = kNever; },
      [](Batch& batch) {
        batch.suspensions = {{{"a", kNever}}};
      }};
  for (const auto& change : changes) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    Batch batch = nth_batch(0);
    change(batch);
    ASSERT_TRUE(open()->commit(batch));
    auto file = open();
    ASSERT_TRUE(file) << file.error().text;
    ASSERT_TRUE(file->moved_aside());
    EXPECT_THAT(file->moved_aside()->why, HasSubstr("cannot be"));
    file = trouble(Trouble::unable, "closed");
  }
}

TEST_F(StateFileTest, IsForItsOwnerAlone) {
  write("");
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  const auto file = open();
  ASSERT_TRUE(file);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600);
}

TEST_F(StateFileTest, ThatIsMovedAwayIsNotWrittenToUntilItIsBack) {
  Contents wanted;
  {
    auto file = open();
    ASSERT_TRUE(file->commit(nth_batch(0)));
    wanted.apply(nth_batch(0));
    fs::rename(path_, path_ + ".elsewhere");
    auto done = file->commit(nth_batch(1));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().trouble, Trouble::unable);
    EXPECT_THAT(done.error().text, HasSubstr("state.db\": it was moved away or removed"));
    write("another");
    done = file->commit(nth_batch(1));
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text, HasSubstr("another file lies at its path"));
    fs::rename(path_ + ".elsewhere", path_);
    ASSERT_TRUE(file->commit(nth_batch(1)));
    wanted.apply(nth_batch(1));
  }
  EXPECT_EQ(Contents::of(open()->take_loaded()), wanted);
}

TEST_F(StateFileTest, IsHeldByOneAlone) {
  const auto first = open();
  ASSERT_TRUE(first);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().trouble, Trouble::in_use);
  EXPECT_THAT(second.error().text, HasSubstr("another slosonde runs with it"));
}

TEST_F(StateFileTest, WithoutItsFolderIsDenied) {
  path_ = folder_ / "nowhere" / "state.db";
  const auto file = open();
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().trouble, Trouble::denied);
  EXPECT_THAT(file.error().text, HasSubstr(path_));
  EXPECT_THAT(file.error().text, HasSubstr("make its folder"));
}

TEST_F(StateFileTest, ThatIsAFolderIsDenied) {
  path_ = folder_;
  EXPECT_EQ(open().error().trouble, Trouble::denied);
}

// A mistyped path must cost nobody a file: not the key, not the configuration.
TEST_F(StateFileTest, ThatNeverWasAStateFileIsRefusedAndLeftAlone) {
  const std::string letter = "a letter to my aunt";
  write(letter);
  const auto file = open();
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().trouble, Trouble::denied);
  EXPECT_THAT(file.error().text, HasSubstr("it is no state file; name another file"));
  std::string held;
  std::getline(std::ifstream(path_), held);
  EXPECT_EQ(held, letter);
}

TEST_F(StateFileTest, WhoseFirstPageIsGoneIsMovedAside) {
  ASSERT_TRUE(open()->commit(nth_batch(0)));
  {
    std::fstream bytes(path_, std::ios::binary | std::ios::in | std::ios::out);
    bytes << std::string(4096, '\0');
  }
  {
    auto file = open();
    ASSERT_TRUE(file) << file.error().text;
    ASSERT_TRUE(file->moved_aside());
    EXPECT_EQ(file->moved_aside()->path, path_ + ".damaged-2026-01-31T00:00:00.000Z");
    EXPECT_TRUE(file->take_loaded().empty());
    EXPECT_TRUE(file->commit(nth_batch(0)));
  }
  EXPECT_TRUE(fs::exists(path_ + ".damaged-2026-01-31T00:00:00.000Z"));
  EXPECT_FALSE(open()->moved_aside());
}

TEST_F(StateFileTest, OfAnotherProgramIsRefusedAndLeftAlone) {
  ASSERT_TRUE([&] {
    auto other = Database::open(path_);
    return other && other->execute("PRAGMA journal_mode = DELETE; CREATE TABLE songs (title TEXT)");
  }());
  const auto bytes = [&] {
    std::ifstream in(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string before = bytes();
  const auto file = open();
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().trouble, Trouble::denied);
  EXPECT_THAT(file.error().text, HasSubstr("another program"));
  EXPECT_EQ(bytes(), before);
}

TEST_F(StateFileTest, WithoutATableOfOursIsMovedAside) {
  {
    ASSERT_TRUE(open()->commit(nth_batch(0)));
    auto database = Database::open(path_);
    ASSERT_TRUE(database->execute("DROP TABLE runs"));
  }
  auto file = open();
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_TRUE(file->moved_aside());
}

// Damage at any place either does no harm to what is read, or is noticed.
TEST_F(StateFileTest, ThatIsDamagedAnywhereIsMovedAsideOrReadsAsPlausible) {
  Contents wanted;
  {
    auto file = open();
    for (int n = 0; n < 30; ++n) {
      ASSERT_TRUE(file->commit(nth_batch(n)));
      wanted.apply(nth_batch(n));
    }
  }
  std::ifstream in(path_, std::ios::binary);
  const std::string sound(std::istreambuf_iterator<char>(in), {});
  ASSERT_GT(sound.size(), 20'000U);
  int moved = 0;
  for (size_t at = 100; at < sound.size(); at += 499) {
    std::string bytes = sound;
    for (size_t i = at; i < std::min(at + 64, bytes.size()); ++i) bytes[i] = static_cast<char>(~bytes[i]);
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write(bytes);
    auto file = open();
    ASSERT_TRUE(file) << "damage at " << at << ": " << file.error().text;
    moved += file->moved_aside() ? 1 : 0;
    EXPECT_TRUE(file->commit(nth_batch(0))) << "damage at " << at;
  }
  EXPECT_GT(moved, 5);
}

TEST_F(StateFileTest, OfALaterVersionIsRefusedAndLeftAlone) {
  ASSERT_TRUE(open()->commit(nth_batch(0)));
  ASSERT_TRUE(Database::open(path_)->execute("PRAGMA user_version = 999"));
  const auto size = fs::file_size(path_);
  const auto file = open();
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().trouble, Trouble::newer);
  EXPECT_THAT(file.error().text, HasSubstr("version 999"));
  EXPECT_EQ(fs::file_size(path_), size);
  EXPECT_EQ(Database::open(path_)->pragma("SELECT count(*) FROM slis"), 3);
}

TEST_F(StateFileTest, OfAnEarlierVersionIsBroughtForward) {
  constexpr std::array<const char*, 3> kSteps = {"CREATE TABLE a (x); INSERT INTO a VALUES (1)",
                                                 "CREATE TABLE b (y); INSERT INTO b SELECT x + 1 FROM a",
                                                 "DROP TABLE a"};
  auto database = Database::open(path_);
  ASSERT_TRUE(migrate(*database, std::span(kSteps).first(1)));
  EXPECT_EQ(database->pragma("PRAGMA user_version"), 1);
  ASSERT_TRUE(migrate(*database, kSteps));
  EXPECT_EQ(database->pragma("PRAGMA user_version"), 3);
  EXPECT_EQ(database->pragma("SELECT y FROM b"), 2);
  EXPECT_TRUE(migrate(*database, kSteps)) << "nothing is left to do";
}

// A file that the first version's own code has written: a minute and a half of a probe that was held up for 8 s.
TEST_F(StateFileTest, OfTheFirstVersionKeepsEveryCount) {
  std::ifstream dump(SLOSONDE_SOURCE_DIR "/tests/unit/store/fixtures/version_1.sql");
  const std::string sql{std::istreambuf_iterator<char>(dump), {}};
  ASSERT_FALSE(sql.empty());
  ASSERT_TRUE(Database::open(path_)->execute(sql.c_str()));
  auto file = open();
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_FALSE(file->moved_aside());
  const Batch loaded = file->take_loaded();
  ASSERT_EQ(loaded.slis.size(), 1U);
  EXPECT_EQ(loaded.slis[0].definition, "web: get within 400ms");
  EXPECT_EQ(loaded.slis[0].fine, Duration::zero()) << "which no file said then";
  EXPECT_EQ(loaded.alerts.size(), 4U);
  EXPECT_FALSE(loaded.exclusions);
  for (const Duration slot : {Duration(10s), Duration(1min)}) {
    slo::Counts sum;
    for (const KeptCounts& one : loaded.counts) {
      if (one.slot != slot) continue;
      const auto slots = slo::read_stored(one.bytes);
      ASSERT_TRUE(slots);
      for (const slo::Counts& counts : *slots) sum += counts;
    }
    EXPECT_EQ(sum, (slo::Counts{.good = 51, .bad = 12, .missed = 15})) << format_duration(slot);
  }
  // And goes on as one of this version.
  Batch more = nth_batch(1);
  more.slis = {{"sli 1", kNow, loaded.slis[0].used}};
  ASSERT_TRUE(file->commit(more));
  file = tl::unexpected(StoreError{});  // closed
  const auto again = open()->take_loaded();
  EXPECT_EQ(again.slis.size(), 2U);
  EXPECT_EQ(again.exclusions, more.exclusions);
}

TEST_F(StateFileTest, WhoseMigrationFailsStaysAsItWas) {
  constexpr std::array<const char*, 3> kSteps = {"CREATE TABLE a (x); INSERT INTO a VALUES (1)", "DROP TABLE a",
                                                 "DROP TABLE nothing_of_that_name"};
  auto database = Database::open(path_);
  ASSERT_TRUE(migrate(*database, std::span(kSteps).first(1)));
  EXPECT_FALSE(migrate(*database, kSteps));
  EXPECT_EQ(database->pragma("PRAGMA user_version"), 1);
  EXPECT_EQ(database->pragma("SELECT x FROM a"), 1);
}

}  // namespace
}  // namespace slosonde::store
