#include "probe/io/inbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <stdexcept>
#include <string>
#include <thread>

namespace slosonde::io {
namespace {

bool is_readable(int descriptor) {
  pollfd one{descriptor, POLLIN, 0};
  return poll(&one, 1, 0) == 1;
}

TEST(Inbox, RunsWhatWasPostedInOrder) {
  Inbox inbox;
  std::string order;
  EXPECT_FALSE(is_readable(inbox.descriptor()));
  EXPECT_TRUE(inbox.post(1, [&] { order += "a"; }));
  EXPECT_TRUE(inbox.post(1, [&] { order += "b"; }));
  EXPECT_TRUE(is_readable(inbox.descriptor()));
  EXPECT_EQ(inbox.drain(), 2u);
  EXPECT_EQ(order, "ab");
  EXPECT_FALSE(is_readable(inbox.descriptor()));
  EXPECT_EQ(inbox.drain(), 0u);
}

TEST(Inbox, IsBoundedInBytesAndCountsWhatItDropped) {
  Inbox inbox(100);
  EXPECT_FALSE(inbox.post(101, [] {}));
  EXPECT_TRUE(inbox.post(60, [] {}));
  EXPECT_FALSE(inbox.post(60, [] {}));
  EXPECT_TRUE(inbox.post(40, [] {}));
  EXPECT_EQ(inbox.dropped(), 2u);
  EXPECT_EQ(inbox.drain(), 2u);
  EXPECT_TRUE(inbox.post(100, [] {}));
}

TEST(Inbox, KeepsWhatIsPostedWhileDraining) {
  Inbox inbox;
  bool later = false;
  inbox.post(1, [&] { inbox.post(1, [&] { later = true; }); });
  EXPECT_EQ(inbox.drain(), 1u);
  EXPECT_FALSE(later);
  EXPECT_TRUE(is_readable(inbox.descriptor()));
  EXPECT_EQ(inbox.drain(), 1u);
  EXPECT_TRUE(later);
}

TEST(Inbox, ATaskThatThrowsKeepsNoneOfTheOthersFromRunning) {
  Inbox inbox;
  std::string order;
  inbox.post(1, [&] { order += "a"; });
  inbox.post(1, [] { throw std::runtime_error("first"); });
  inbox.post(1, [] { throw std::runtime_error("second"); });
  inbox.post(1, [&] { order += "b"; });
  EXPECT_THROW(
      try { inbox.drain(); } catch (const std::runtime_error& thrown) {
        EXPECT_STREQ(thrown.what(), "first");
        throw;
      },
      std::runtime_error);
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(inbox.drain(), 0u);
}

TEST(Inbox, TakesFromManyThreads) {
  Inbox inbox;
  int ran = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) inbox.post(1, [&] { ++ran; });
      });
    }
    while (ran < 2000) inbox.drain();
  }
  inbox.drain();
  EXPECT_EQ(ran, 4000);
}

}  // namespace
}  // namespace slosonde::io
