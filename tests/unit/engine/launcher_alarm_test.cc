#include "probe/engine/launcher_alarm.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "tests/unit/engine/launcher_world.h"

namespace slosonde::engine {
namespace {

using namespace std::chrono_literals;

struct Rung {
  Duration at;
  std::optional<Duration> late;
  friend bool operator==(const Rung&, const Rung&) = default;
};

// Notes when it rings, and then does as the test says.
struct Clockwork {
  TestIo io;
  Instant begun = io.now();
  std::vector<Rung> rings;
  std::function<void()> then = [] {};
  std::unique_ptr<Alarm> alarm = std::make_unique<Alarm>(io, [this](std::optional<Duration> late) {
    rings.push_back({io.now() - begun, late});
    then();
  });
};

TEST(Alarm, RingsAgainWhenARingArmsIt) {
  Clockwork clock;
  clock.then = [&] { clock.alarm->arm(clock.begun + (clock.rings.size() + 1) * 10ms); };
  clock.alarm->arm(clock.begun + 10ms);
  clock.io.run_for(35ms);
  EXPECT_EQ(clock.rings, (std::vector<Rung>{{10ms, 0ms}, {20ms, 0ms}, {30ms, 0ms}}));
}

TEST(Alarm, TheEarliestCountsWhoeverArmsIt) {
  Clockwork clock;
  clock.then = [&] {
    if (clock.rings.size() > 1) return;
    clock.alarm->arm(clock.begun + 30ms);
    clock.alarm->arm(clock.begun + 20ms);
    clock.alarm->arm(clock.begun + 25ms);
  };
  clock.alarm->arm(clock.begun + 40ms);
  clock.alarm->arm(clock.begun + 10ms);
  clock.io.run_for(100ms);
  EXPECT_EQ(clock.rings, (std::vector<Rung>{{10ms, 0ms}, {20ms, 0ms}}));
}

TEST(Alarm, SaysByHowMuchItIsLate) {
  Clockwork clock;
  clock.alarm->arm(clock.begun + 10ms);
  clock.io.settle();
  clock.io.stall(15ms);
  clock.io.run_for(1ms);
  EXPECT_EQ(clock.rings, (std::vector<Rung>{{15ms, 5ms}}));
}

TEST(Alarm, NeverRingsFromWithinArm) {
  Clockwork clock;
  clock.alarm->arm(clock.begun);
  EXPECT_TRUE(clock.rings.empty());
  clock.io.settle();
  EXPECT_EQ(clock.rings, (std::vector<Rung>{{0ms, 0ms}}));
}

TEST(Alarm, RingsOnAfterARingThatThrew) {
  Clockwork clock;
  clock.then = [&] {
    if (clock.rings.size() > 1) return;
    clock.alarm->arm(clock.begun + 20ms);
    throw std::bad_alloc();
  };
  clock.alarm->arm(clock.begun + 10ms);
  EXPECT_THROW(clock.io.run_for(15ms), std::bad_alloc);
  clock.io.run_for(100ms);
  EXPECT_EQ(clock.rings, (std::vector<Rung>{{10ms, 0ms}, {20ms, 0ms}}));
}

}  // namespace
}  // namespace slosonde::engine
