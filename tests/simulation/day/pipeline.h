// The pipeline that is probed: targets, places in which evidence turns up, and what went wrong with either. It outlives
// every process that looks at it, and keeps the facts by which the ledger judges what they say.
//
// Its time is the machine's, which nobody sets. A process has a line of its own (Line), which begins as the wall clock
// stood when it began.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/day/terms.h"
#include "tests/simulation/random.h"
#include "tests/unit/engine/launcher_world.h"

namespace slosonde::day {

// How a process tells the time.
struct Line {
  engine::TestIo& io;
  Duration offset;  // what it calls an instant minus what the machine does
  int life;         // the number of the process

  Instant now() const { return io.now() - offset; }
  Instant of(Instant machine) const { return machine + offset; }
};

// What a run sent, and what became of it.
struct Sent {
  uint32_t transaction = 0;
  Instant due{};  // by the line of the process that sent it
  Duration offset{};
  int life = 0;
  std::optional<Instant> answered;              // its first stage, and that process lived to hear it; machine's time
  bool broken = false;                          // something was not done, or too late: it must not be good
  bool spoilt = false;                          // something was not done, or nearly too late: it may be bad
  bool unseen = false;                          // evidence came where nobody listened
  std::vector<std::optional<Instant>> arrives;  // by stage, at its place; machine's time

  // As the ledger notes: what the process of that number said it was.
  std::optional<engine::RunVerdict> verdict;
  int judged_in = -1;
  int mixed_in = -1;  // into the digest

  Instant limit(const engine::StagePlan& stage) const { return due - offset + stage.within; }  // machine's time
};

struct Spell {
  Instant from{}, to{};
};

// The world's thread.
class Pipeline {
 public:
  explicit Pipeline(const Terms& terms);

  // What a process needs to probe it.
  engine::Equipment equipment(const Line& line);

  void target_down(size_t transaction, Instant until) { down_until_[transaction] = until; }
  // From now on the place cannot be seen, by its own fault or by ours.
  void lose_sight(size_t place, Instant from, Instant until, bool ours);

  Sent* find(std::string_view marker);
  const std::map<std::string, Sent, std::less<>>& all() const { return sent_; }  // by marker
  // A place failed, or was out of sight, at some time of [from, to], or had only just begun to be seen again.
  bool failed(size_t place, Instant from, Instant to) const;
  bool disturbed(size_t place, Instant from, Instant to) const;
  // What is wrong with what it was asked; empty: nothing.
  const std::string& complaint() const { return complaint_; }

 private:
  class Eye;
  struct Item {
    std::string text;
    uint64_t number = 0;
  };
  struct Place {
    std::multimap<Instant, Item> items;  // by arrival
    std::vector<Spell> gone, hidden;
  };

  io::Awaitable<checks::CheckResult> send(Line line, checks::RunContext& context, uint32_t transaction);
  io::Awaitable<checks::CheckResult> poll(Line line, checks::RunContext& context, uint32_t stage);
  Sent& take(const Line& line, const checks::RunContext& context, uint32_t transaction);
  void pass_on(Sent& run, std::string_view marker, Instant accepted);
  void put(size_t place, Instant arrival, std::string text);
  simulation::Random random_of(std::string_view marker, uint64_t salt) const;

  const Terms& terms_;
  std::vector<Place> places_;
  std::vector<Instant> down_until_;
  std::map<std::string, Sent, std::less<>> sent_;
  uint64_t items_ = 0;
  std::string complaint_;
};

}  // namespace slosonde::day
