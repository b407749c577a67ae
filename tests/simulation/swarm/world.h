// A world: a pipeline and its faults, and the processes that probe it one after the other, on a virtual clock. The real
// core is driven; everything around it is made up, and what happens is told the oracle.
//
// world.cc: the clock and the process · pipeline.cc: what becomes of what a run sends · places.cc: where evidence turns
// up · faults.cc: what goes wrong when.
#pragma once

#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "probe/engine/core.h"
#include "probe/ledger/marker.h"
#include "tests/simulation/random.h"
#include "tests/simulation/swarm/happenings.h"
#include "tests/simulation/swarm/oracle.h"
#include "tests/unit/store/journal.h"

namespace slosonde::swarm {

struct Outcome {
  std::vector<Failure> failures;
  uint64_t digest = 0;  // of everything that was decided and shown
  uint64_t runs = 0, readings = 0, processes = 0, steps = 0, alerts = 0;
  std::array<uint64_t, kRunVerdicts> verdicts{};
  std::array<uint64_t, 7> stages{};
};

class World {
 public:
  explicit World(const Scenario& scenario);

  // From the start to the end; once. Stops early when something is wrong.
  Outcome run();

  // For a report: lines of what happens to the runs of one transaction that are due in [from, to].
  void tell(size_t transaction, Time from, Time to, std::vector<std::string>* lines);

 private:
  using Random = simulation::Random;

  struct Sent {  // a run, as the pipeline knows it
    uint64_t id = 0;
    size_t transaction = 0;
    uint64_t number = 0;  // as the oracle knows it
    int life = 0;         // of the process that made it
    Time due = 0;
    std::string marker, payload;
    Time shows_at = INT64_MAX;  // to those who ask
    bool passed_on = false;
    bool cut = false;  // by a reload: nobody waits for its answers
    unsigned outstanding = 0;
  };
  struct ByTag {  // a marker ends in a digest
    size_t operator()(std::string_view marker) const {
      uint64_t made = 0;
      std::memcpy(&made, marker.data() + marker.size() - sizeof made, sizeof made);
      return made * 0x9e3779b97f4a7c15;
    }
  };
  struct Item {
    uint64_t run = 0;  // 0: a stranger's
    std::string stranger;
    uint64_t number = 0;
    Time arrival = 0;
    Time clock = 0;  // process_offset_ by which that is told
    bool corrupt = false, with_payload = false;
  };
  struct Place {
    Sight sight = Sight::in_sight;
    bool forgets = false, later = false;  // how the gap will be read back
    Time covered = 0;
    bool connected = false;
    std::deque<Item> log;  // of a topic: what has come, as far back as it is kept
    size_t next = 0;       // not handed over yet
    Time gone_until = INT64_MIN;
  };
  struct Position {
    Time covered = 0;
    uint64_t item = 0;
  };

  // world.cc
  void at(Time when, std::function<void()> what, int life = Happenings::kAnyLife) {
    happenings_.at(std::max(when, now_ + 1), life, std::move(what));
  }
  // In this process's life alone.
  void soon(Time after, std::function<void()> what) { at(now_ + after, std::move(what), life_); }
  void happen();
  Time wall_offset() const { return clock_offset_ - process_offset_; }
  Instant instant(Time t) const { return instant_from_unix_ns(t); }
  void begin_process();
  void end_process(Time down_for);
  void stop_cleanly();
  void forget();
  void take_outcome();
  void turn(bool held);
  void take(engine::StartCheck& check);
  void take(engine::RunClosed& closed);
  void take(engine::Notice& notice);
  void take(engine::CancelCheck&) {}
  void take(engine::RunStarted&) {}
  void feed(engine::Input input) { core_->feed(instant(now_), std::move(input)); }
  void commit(bool at_once);
  size_t most_open() const;
  void bounded(const char* where, size_t runs, size_t most);
  void commit_later();
  void read();
  void read_later();
  uint64_t seed_of(uint64_t a, uint64_t b, uint64_t c) const;
  void digest(uint64_t value) { digest_ = (digest_ ^ value) * 0x100000001b3; }
  void note_all(const std::string& text);
  void note(const Sent& run, const std::string& text);
  Sent* sent(uint64_t id);
  // None: of a run that no process knows any more.
  RunFacts* facts(const Sent& run) {
    return scenario_.keeps_state || run.life == life_ ? oracle_->find(run.transaction, run.number) : nullptr;
  }
  void spoil(const Sent& run);  // the pipeline did something that may lawfully be bad

  // pipeline.cc
  void ask(Sent& run, const engine::StartCheck& check);
  void poll(Sent& run, const engine::StartCheck& check);
  void answer(Sent& run, const engine::StartCheck& check, Time after, Answer answer);
  void pass_on(Sent& run, Time accepted, Random& random);

  // places.cc
  void connect(size_t watch);
  void arrive(size_t watch, Item item);
  void hand_over(size_t watch, const Item& item, Time lo, Time hi);
  void catch_up(size_t watch, Time lo);
  void cover(size_t watch, Time from, Time to);
  void heartbeat(size_t watch);
  void lose_sight(size_t watch, Sight sight, Time length, Random& random);
  void regain_sight(size_t watch);
  void stranger();

  // faults.cc
  void plan_faults();
  void plan(Fault fault, const std::function<void(Random&)>& what);
  void suspend(size_t transaction, bool on);
  void exclude(Random& random, size_t transaction);
  void hold_up(Time length, bool whole_process);
  void reload_later(uint64_t stream);
  void reload(uint64_t stream);  // reload.cc
  void follow_clock();

  Scenario scenario_;  // reloads change it
  Time start_, end_, now_;
  std::shared_ptr<const engine::Plan> plan_;
  ledger::MarkerCodec codec_, other_codec_;
  std::unique_ptr<Oracle> oracle_;  // of all processes; where no state is kept, of this one
  Happenings happenings_;
  store::Journal journal_;
  Random random_;  // of what belongs to no run

  // The process.
  std::unique_ptr<engine::Core> core_;
  int life_ = 0;
  uint64_t epoch_ = 1'000'000;
  store::Batch kept_;
  std::optional<uint64_t> reload_;  // with the next turn
  bool first_batch_ = true, committing_ = false, commit_wanted_ = false, read_wanted_ = false, draining_ = false,
       ended_ = false;
  Time held_until_ = 0, frozen_from_ = 0, disk_full_until_ = 0, starved_until_ = 0;
  // Of the wall clock to the machine's own: now, when this process began, and as in the journal.
  Time clock_offset_ = 0, process_offset_ = 0, kept_offset_ = 0;
  std::vector<Position> kept_positions_;
  engine::Outputs outputs_;

  // The pipeline.
  std::deque<Sent> sent_;
  std::unordered_map<std::string_view, uint64_t, ByTag> by_marker_;  // of those in sent_, which own the texts
  std::vector<Time> down_until_, swallowing_until_;
  std::vector<Place> places_;
  uint64_t next_run_ = 1, next_item_ = 1, next_exclusion_ = 1, next_handed_over_ = 1;

  uint64_t digest_ = 0xcbf29ce484222325;
  Outcome outcome_;
  size_t told_transaction_ = 0;
  Time told_from_ = 1, told_to_ = 0;
  std::vector<std::string>* told_ = nullptr;
};

}  // namespace slosonde::swarm
