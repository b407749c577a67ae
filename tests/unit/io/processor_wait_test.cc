#include "probe/io/processor_wait.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace slosonde::io {
namespace {

void stay_on(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ASSERT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
}

// Two that have work on one processor: each waits while the other runs.
TEST(ProcessorWait, GrowsWhileAnotherHasTheProcessor) {
  if (access("/proc/thread-self/schedstat", R_OK) != 0) GTEST_SKIP() << "this kernel does not count it";
  const int processor = sched_getcpu();
  std::atomic<bool> stop = false;
  std::thread other([&] {
    stay_on(processor);
    while (!stop.load(std::memory_order_relaxed)) {
    }
  });
  Duration waited{};
  std::thread us([&] {
    stay_on(processor);
    const ProcessorWait wait;
    const Duration before = wait.total();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (waited < std::chrono::milliseconds(20) && std::chrono::steady_clock::now() < until)
      waited = wait.total() - before;
  });
  us.join();
  stop = true;
  other.join();
  EXPECT_GE(waited, std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace slosonde::io
