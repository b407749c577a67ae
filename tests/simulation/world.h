// A pipeline, its faults, and the process that probes it, on a virtual clock: the real core is driven, everything
// around it is made up, and what happens is written down for the oracle.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "probe/engine/core.h"
#include "probe/ledger/marker.h"
#include "tests/simulation/facts.h"
#include "tests/simulation/random.h"

namespace slosonde::simulation {

// How often what goes wrong; drawn from the seed.
struct Troubles {
  double refused = 0, hanging = 0, own_fault = 0, slow = 0;  // of ingest and console
  double log_lost = 0, alert_lost = 0, duplicate = 0, redelivered = 0, corrupt = 0, mangled = 0, damaged = 0;
  double overtaking = 0;  // the alert comes before the incident
  double gaps_a_day = 0, stalls_a_day = 0, outages_a_day = 0;
  double strangers_an_hour = 0;  // foreign, stale, unexpected markers
};

struct Result {
  std::vector<TransactionCounts> transactions;
  std::vector<SloCounts> slos;
  std::vector<WindowReading> windows;
  std::string serialised;  // everything that came out, byte for byte
  uint64_t runs = 0, notices = 0;
};

class World {
 public:
  World(uint64_t seed, Time length);

  // Runs from the start to the end; once.
  Result run();
  const Facts& facts() const { return facts_; }
  const Terms& terms() const { return terms_; }
  // Bad share that the objective of an SLO allows.
  double budget(size_t slo) const;

 private:
  struct Happening {
    Time at;
    uint64_t order;
    std::function<void()> what;
    bool operator>(const Happening& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  struct Item {  // in the topic of incidents, or on its way to the webhook
    EvidenceFact fact;
    std::string text;
    Time arrival = 0;
  };
  struct Sent {
    uint32_t transaction = 0;
    uint64_t seq = 0;
    std::string marker, payload;
  };
  struct Gap {
    Sight sight = Sight::in_sight;
    bool forgotten = false;  // what came in the gap cannot be read back
    bool read_back_later = false;
    bool exact = false;  // the place knows when a thing arrived
  };

  void draw();
  void make_plan();
  void plan_faults();
  void at(Time when, std::function<void()> what);
  Instant instant(Time t) const { return instant_from_unix_ns(t); }
  void feed(engine::Input input) { core_->feed(instant(now_), std::move(input)); }
  void turn();
  void take(engine::StartCheck& check);
  void take(engine::CancelCheck&) {}
  void take(engine::RunStarted&) {}
  void take(engine::RunClosed&) {}
  void take(engine::Notice&) { ++result_.notices; }
  void write_down(const engine::Output& output);

  void ingest(const engine::StartCheck& check);
  void answer(const engine::StartCheck& check, Time after, Answer answer);
  void pass_on(const Sent& sent, Time accepted);
  Item item_of(const Sent& sent, size_t watch, Time arrival);
  std::string mangle(std::string text);
  void stranger();

  void poll_topic();
  void hand_over(const std::vector<Item>& items, Time lo, Time hi, bool exact);
  void read_back(std::vector<Item> missed, Time from, Time to, bool exact);
  void arrive_at_hook(Item item);
  void cover_hook();
  void tell(Item item, Time lo, Time hi);
  void begin_gap(size_t watch, Gap gap, Time length);
  void cover(size_t watch, Time from, Time to);
  void read_windows();  // after this turn
  void read_now();
  void finish();

  Random random_;
  Time start_, end_, now_;
  Troubles troubles_;
  Terms terms_;
  Facts facts_;
  Result result_;
  std::shared_ptr<const engine::Plan> plan_;
  std::unique_ptr<engine::Core> core_;
  std::unique_ptr<ledger::MarkerCodec> codec_, stranger_codec_;
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> happenings_;
  uint64_t order_ = 0, next_item_ = 1;
  std::vector<std::pair<Time, Time>> stalls_;
  size_t next_stall_ = 0;
  Time outage_until_ = 0, swallowed_until_ = 0;
  bool read_after_turn_ = false;
  std::vector<Sent> sent_;
  std::vector<uint64_t> last_seq_;
  engine::Outputs outputs_;

  std::vector<Item> topic_;  // not yet handed over, by arrival
  Time topic_covered_ = 0;
  bool exact_topic_ = false;  // the broker's own times are believed
  std::vector<Gap> gaps_ = std::vector<Gap>(2);
  Time hook_covered_ = -1;
  Time last_hook_turn_ = 0;
};

}  // namespace slosonde::simulation
