// What goes wrong when: spells over the whole time, drawn before it begins, each kind from a stream of its own.
#include <algorithm>

#include "tests/simulation/swarm/world.h"

namespace slosonde::swarm {

void World::plan(Fault fault, const std::function<void(Random&)>& what) {
  Random random(seed_of(0xfa017, static_cast<uint64_t>(fault), 0));
  const double days = static_cast<double>(scenario_.length) / static_cast<double>(kDay);
  const auto times = static_cast<int>(scenario_.rate(fault) * days + random.share());
  for (int n = 0; n < times; ++n) {
    const Time when = random.between(start_ + kMinute, end_);
    at(when, [this, what, stream = random.bits()] {
      if (ended_) return;
      Random own(stream);
      what(own);
    });
  }
}

void World::plan_faults() {
  const auto some = [this](Random& random) {
    return static_cast<size_t>(random.between(0, static_cast<int64_t>(scenario_.transactions.size())));
  };
  const auto place = [this](Random& random) {
    return static_cast<size_t>(random.between(0, static_cast<int64_t>(places_.size())));
  };
  plan(Fault::target_down, [this, some](Random& random) {
    Time& until = down_until_[some(random)];
    until = std::max(until, now_ + random.heavy(20 * kSecond, 40 * kMinute));
  });
  plan(Fault::swallowing, [this, some](Random& random) {
    Time& until = swallowing_until_[some(random)];
    until = std::max(until, now_ + random.heavy(20 * kSecond, 40 * kMinute));
  });
  plan(Fault::place_gone, [this, place](Random& random) {
    const size_t w = place(random);
    if (!scenario_.watches[w].reads_back) return;
    lose_sight(w, Sight::place_gone, random.heavy(5 * kSecond, 25 * kMinute), random);
  });
  plan(Fault::hook_down, [this, place](Random& random) {
    lose_sight(place(random), Sight::own_fault, random.heavy(20 * kSecond, 40 * kMinute), random);
  });
  plan(Fault::late_loop, [this](Random& random) { hold_up(random.heavy(kMillisecond, 5 * kSecond), false); });
  plan(Fault::frozen, [this](Random& random) { hold_up(random.heavy(2 * kSecond, 2 * kHour), true); });
  plan(Fault::starved, [this](Random& random) {
    // What had to wait for it is what comes late anyway.
    const Time from = std::max(starved_until_, now_ - random.heavy(kSecond, 3 * kMinute));
    if (!core_ || from >= now_) return;
    const auto waited = static_cast<Time>(static_cast<double>(now_ - from) * random.share());
    starved_until_ = now_;
    oracle_->starved(now_, from, now_, waited);
    feed(engine::Starved{instant(from), instant(now_), Duration(waited)});
  });
  plan(Fault::crash, [this](Random& random) {
    // Most often within moments of a commit, now and then long after one.
    const Time when = random.happens(0.7) ? random.between(0, 3 * kSecond) : random.between(0, kMinute);
    const Time down =
        random.happens(0.5) ? random.between(100 * kMillisecond, 5 * kSecond) : random.heavy(kSecond, 6 * kHour);
    commit_wanted_ = true;
    soon(when, [this, down] { end_process(down); });
  });
  plan(Fault::suspended, [this, some](Random& random) {
    const size_t t = some(random);
    suspend(t, true);
    at(now_ + random.heavy(5 * kMinute, 8 * kHour), [this, t] { suspend(t, false); });
  });
  plan(Fault::excluded, [this, some](Random& random) { exclude(random, some(random)); });
  plan(Fault::reloaded, [this](Random& random) { reload_later(random.bits()); });
  plan(Fault::clean_stop, [this](Random&) { stop_cleanly(); });
  plan(Fault::full_disk, [this](Random& random) {
    disk_full_until_ = std::max(disk_full_until_, now_ + random.heavy(10 * kSecond, 3 * kHour));
  });
  plan(Fault::wall_step, [this](Random& random) {
    const Time most = random.happens(0.3) ? 3 * kHour : 2 * kMinute;
    const Time by = random.between(2 * kSecond, most);
    clock_offset_ += random.happens(0.5) ? by : -by;
    // Seen at once, and not felt: this process goes by the machine's own clock. The next one finds another time.
    if (core_) {
      oracle_->wall_step(now_, wall_offset());
      feed(engine::WallStep{Duration(wall_offset())});
    }
    if (random.happens(0.7))
      soon(random.between(0, kMinute), [this] { end_process(random_.between(kMillisecond, kMinute)); });
  });
  if (scenario_.rate(Fault::strangers) > 0) at(start_ + kMinute, [this] { stranger(); });
}

void World::suspend(size_t transaction, bool on) {
  if (!core_) {
    at(now_ + kMinute, [this, transaction, on] { suspend(transaction, on); });
    return;
  }
  oracle_->suspends(transaction, now_, on);
  (void)core_->command(instant(now_), engine::Suspend{scenario_.transactions[transaction].name(), on});
}

void World::exclude(Random& random, size_t transaction) {
  if (!core_) return;
  const std::string name = "x" + std::to_string(next_exclusion_++);
  const bool all = random.happens(0.3);
  const Time wall = now_ + wall_offset();
  const Time from = random.happens(0.5) ? wall : wall + random.between(0, 30 * kMinute);
  const Time to = from + random.heavy(10 * kMinute, 8 * kHour);
  engine::ExclusionOrder order;
  order.name = name;
  if (!all) order.transactions.push_back(scenario_.transactions[transaction].name());
  if (from != wall) order.start = instant(from);
  order.lasts = Duration(to - from);
  if (!core_->command(instant(now_), order)) return oracle_->fail(now_, transaction, "an exclusion was refused");
  if (told_) note_all("an exclusion is declared: " + name);
  oracle_->excludes(name, all ? -1 : static_cast<int>(transaction), now_, from, to);
  if (random.happens(0.6)) return;
  at(now_ + random.heavy(5 * kMinute, 4 * kHour), [this, name] {
    if (!core_) return;
    (void)core_->command(instant(now_), engine::EndExclusion{name});
    oracle_->ends_exclusion(name, now_, now_ + wall_offset());
  });
}

void World::hold_up(Time length, bool whole_process) {
  if (!core_) return;
  if (told_) note_all(std::string(whole_process ? "frozen" : "held up") + " for " + format_duration(Duration(length)));
  held_until_ = std::max(held_until_, now_ + length);
  if (whole_process) frozen_from_ = now_;
  // Where it comes to itself not long after a limit, it cannot know that it was away (core.h: max_lateness).
  const Time patience = std::max(scenario_.max_lateness, 100 * kMillisecond) + 50 * kMillisecond;
  for (Sent& run : sent_) {
    for (const StageTerms& stage : scenario_.transactions[run.transaction].stages) {
      const Time limit = run.due + stage.within;
      if (stage.mode != Mode::watched && limit >= now_ - patience && limit <= held_until_) {
        if (held_until_ - limit <= patience) spoil(run);
      }
    }
  }
}

// A new process goes by the wall clock as it stands: all that is planned and known moves with it.
void World::follow_clock() {
  const Time by = clock_offset_ - process_offset_;
  process_offset_ = clock_offset_;
  if (by == 0) return;
  ++outcome_.steps;
  now_ += by;
  happenings_.shift(by);
  for (std::vector<Time>* const all : {&down_until_, &swallowing_until_}) {
    for (Time& until : *all) until += by;
  }
  disk_full_until_ += by;
  starved_until_ += by;
  for (Place& place : places_) {
    place.gone_until += by;
    place.covered += by;
    for (Item& item : place.log) {
      item.arrival += by;
      item.clock = process_offset_;
    }
  }
  for (Position& position : kept_positions_) position.covered += by;
  for (Sent& run : sent_) {
    if (run.shows_at != INT64_MAX) run.shows_at += by;
  }
}

}  // namespace slosonde::swarm
