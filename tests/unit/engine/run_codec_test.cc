#include "probe/engine/run_codec.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

const std::vector<std::string> kLatencies = {"a: alert, faster than 5s", "a: alert, faster than 10s"};

TransactionPlan plan() {
  TransactionPlan made = log_to_alert();
  made.finally = {act("close", 1s)};
  return made;
}

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}
  uint64_t below(uint64_t n) { return random_() % n; }
  bool flag() { return below(2) == 1; }
  Instant instant() { return flag() ? kStart + Duration(static_cast<int64_t>(below(1'000'000'000'000))) : kNever; }
  Duration duration() { return Duration(static_cast<int64_t>(below(60'000'000'000))); }
  std::string text() { return std::string(below(40), static_cast<char>('a' + below(26))); }
  Error error() { return {static_cast<ErrorCode>(below(kErrorCodes)), text()}; }
  template <class T>
  std::optional<T> maybe(T value) {
    return flag() ? std::optional<T>(value) : std::nullopt;
  }

  StageRecord record() {
    StageRecord made;
    made.verdict = maybe(static_cast<StageVerdict>(below(kStageVerdicts)));
    made.bad = flag();
    made.started = maybe(instant());
    made.seen_lo = maybe(instant());
    made.seen_hi = maybe(instant());
    made.decided = maybe(instant());
    made.latency = maybe(duration());
    made.hop = maybe(duration());
    made.attempts = static_cast<uint32_t>(below(1000));
    for (auto& phase : made.phases) phase = maybe(duration());
    made.delivery = static_cast<checks::Delivery>(below(checks::kDeliveries));
    made.error = error();
    return made;
  }

  Stage stage() {
    Stage made;
    made.record = record();
    made.report = static_cast<Report>(below(kReports));
    made.report_error = error();
    for (Instant* const t :
         {&made.limit, &made.report_at, &made.seen_lo, &made.seen_hi, &made.next_start, &made.attempt_start,
          &made.attempt_deadline, &made.last_unshown, &made.second_at, &made.second_lo, &made.second_hi}) {
      *t = instant();
    }
    for (bool* const one : {&made.corrupt, &made.attempt_running, &made.answered, &made.last_valid, &made.last_fault,
                            &made.fault, &made.hop_counted, &made.reordered_counted, &made.awaits_second}) {
      *one = flag();
    }
    for (uint64_t left = below(flag() ? 4 : 200); left > 0; --left) made.items.add(random_());
    return made;
  }

  Run run() {
    Run made;
    made.due = instant();
    made.started = instant();
    made.decided = instant();
    made.close_at = instant();
    made.verdict = maybe(static_cast<RunVerdict>(below(kRunVerdicts)));
    made.holds_place = flag();
    made.finally_at = below(2);
    for (size_t i = 0; i < plan().stages.size(); ++i) made.stages.push_back(stage());
    made.finally.push_back({.record = record()});
    for (uint64_t left = below(5); left > 0; --left) made.captures[text()] = text();
    made.latency = {flag() ? LatencyMark::open : LatencyMark::counted, LatencyMark::counted};
    return made;
  }

 private:
  std::mt19937_64 random_;
};

TEST(RunCodec, ARunReadBackWritesTheSameBytes) {
  Draw draw(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = encode(draw.run(), plan(), kLatencies);
    const auto read = decode(bytes, plan(), kLatencies);
    ASSERT_TRUE(read);
    ASSERT_EQ(encode(*read, plan(), kLatencies), bytes);
  }
}

TEST(RunCodec, NoFieldThatIsKeptIsForgotten) {
  Draw draw(2);
  engine::Run run = draw.run();
  run.due = kStart;
  const auto changes = [&](auto change) {
    engine::Run other = run;
    change(other);
    return encode(other, plan(), kLatencies) != encode(run, plan(), kLatencies);
  };
  EXPECT_TRUE(changes([](engine::Run& other) { other.due += 1ns; }));
  EXPECT_TRUE(changes([](engine::Run& other) { other.stages[0].record.delivery = checks::Delivery::acked; }) ||
              changes([](engine::Run& other) { other.stages[0].record.delivery = checks::Delivery::unknown; }));
  EXPECT_TRUE(changes([](engine::Run& other) { other.captures["new"] = "value"; }));
  EXPECT_TRUE(changes([](engine::Run& other) { other.stages[2].record.bad = !other.stages[2].record.bad; }));
  EXPECT_TRUE(changes([](engine::Run& other) { other.stages[1].items.add(12345); }));
  EXPECT_TRUE(changes([](engine::Run& other) { other.finally[0].record.attempts += 1; }));
}

TEST(RunCodec, ARunOfOtherStagesIsNone) {
  Draw draw(3);
  const std::string bytes = encode(draw.run(), plan(), kLatencies);
  for (const auto& change : std::vector<std::function<void(TransactionPlan&)>>{
           [](auto& other) { other.stages[1].within += 1ns; }, [](auto& other) { other.stages[1].name = "other"; },
           [](auto& other) { other.stages.pop_back(); }, [](auto& other) { other.finally.clear(); },
           [](auto& other) { other.stages[2].mode = StageMode::polled; },
           [](auto& other) { other.stages[2].from = 0; }}) {
    TransactionPlan other = plan();
    change(other);
    EXPECT_FALSE(decode(bytes, other, kLatencies));
  }
  TransactionPlan faster = plan();
  faster.every = 1s;
  faster.linger = 1h;
  EXPECT_TRUE(decode(bytes, faster, kLatencies)) << "neither interval nor linger is part of a run";
}

TEST(RunCodec, LatencySlisAreFoundAgainByWhatTheyAre) {
  Draw draw(4);
  engine::Run run = draw.run();
  run.latency = {LatencyMark::open, LatencyMark::awaits_sight};
  const std::string bytes = encode(run, plan(), kLatencies);
  const std::vector<std::string> others = {"new", kLatencies[1], kLatencies[0], "newer"};
  const auto read = decode(bytes, plan(), others);
  ASSERT_TRUE(read);
  const std::vector<LatencyMark> wanted = {LatencyMark::counted, LatencyMark::open, LatencyMark::open,
                                           LatencyMark::counted};
  EXPECT_EQ(read->latency, wanted);
}

TEST(RunCodec, AnyBytesCanBeRead) {
  Draw draw(5);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = encode(draw.run(), plan(), kLatencies);
    for (uint64_t left = 1 + draw.below(3); left > 0; --left) {
      switch (draw.below(3)) {
        case 0:
          bytes.resize(draw.below(bytes.size()) + 1);
          break;
        case 1:
          bytes[draw.below(bytes.size())] = static_cast<char>(draw.below(256));
          break;
        default:
          bytes.insert(draw.below(bytes.size()), 1, static_cast<char>(draw.below(256)));
          break;
      }
    }
    if (!decode(bytes, plan(), kLatencies)) ++refused;
  }
  EXPECT_GT(refused, 10'000);
}

}  // namespace
}  // namespace slosonde::engine
