// Where evidence turns up: topics, which can be read back after a gap, and hooks, which cannot.
#include <algorithm>
#include <utility>

#include "tests/simulation/swarm/world.h"

namespace slosonde::swarm {

namespace {

constexpr Time kKept = 2 * kHour;  // a topic's retention
constexpr Time kHandOver = 2 * kMillisecond;

}  // namespace

void World::connect(size_t w) {
  Place& place = places_[w];
  place.connected = true;
  if (place.sight == Sight::in_sight) {
    const bool reads_back = scenario_.watches[w].reads_back && kept_positions_[w].covered > 0;
    if (reads_back) {
      // From the committed position on: some of it has been seen by the process before.
      place.covered = kept_positions_[w].covered;
      const auto first = std::find_if(place.log.begin(), place.log.end(),
                                      [&](const Item& one) { return one.arrival >= place.covered; });
      place.next = static_cast<size_t>(first - place.log.begin());
      const bool all_kept = place.covered > now_ - kKept;
      catch_up(w, place.covered);
      if (all_kept) {
        cover(w, place.covered, now_);
      } else {
        cover(w, now_, now_);
      }
    } else {
      place.next = place.log.size();
      cover(w, now_, now_);
    }
    place.covered = now_;
  } else {
    const bool ours = place.sight == Sight::own_fault;
    oracle_->sight(w, now_, place.sight);
    feed(engine::OutOfSight{w, {ours ? ErrorCode::no_descriptors : ErrorCode::connect_refused, "cannot be seen"}});
  }
  soon(scenario_.watches[w].heartbeat, [this, w] { heartbeat(w); });
}

void World::arrive(size_t w, Item item) {
  Place& place = places_[w];
  item.arrival += process_offset_ - std::exchange(item.clock, process_offset_);
  const bool in_sight = core_ && place.connected && place.sight == Sight::in_sight;
  if (scenario_.watches[w].reads_back) {
    while (!place.log.empty() && place.log.front().arrival < now_ - kKept) {
      place.log.pop_front();
      if (place.next > 0) --place.next;
    }
    item.arrival = std::max(item.arrival, place.log.empty() ? item.arrival : place.log.back().arrival);
    place.log.push_back(item);
    if (!in_sight) return;
    // What was held up is as old as the last hand-over; else it comes as it arrives.
    const bool late = now_ - item.arrival > kHandOver;
    catch_up(w, late && !scenario_.watches[w].exact ? place.covered : item.arrival);
    return;
  }
  if (!in_sight) {
    // The sender tries again, or not.
    if (Sent* const run = item.run ? sent(item.run) : nullptr) spoil(*run);
    if (item.run == 0 || item.number % 3 == 0) return;
    Random random(seed_of(item.number, static_cast<uint64_t>(now_), 3));
    item.arrival = now_ + random.between(kSecond, 30 * kSecond);
    at(item.arrival, [this, w, item] { arrive(w, item); });
    return;
  }
  // Stamped by the thread that took it, unless the whole process was frozen.
  const bool frozen = frozen_from_ > 0 && item.arrival >= frozen_from_ && item.arrival < now_;
  hand_over(w, item, frozen ? frozen_from_ : item.arrival, frozen ? now_ : item.arrival);
}

void World::hand_over(size_t w, const Item& item, Time lo, Time hi) {
  std::string text = item.stranger;
  if (item.run > 0) {
    Sent* const run = sent(item.run);
    if (!run) return;
    text = run->marker;
    if (item.corrupt || item.with_payload) {
      text += ' ' + run->payload;
      if (item.corrupt) text.back() = text.back() == 'a' ? 'b' : 'a';
    }
    if (RunFacts* const known = facts(*run)) {
      known->sighted.push_back({w, item.number, oracle_->life(), lo, hi, now_, item.corrupt, next_handed_over_++});
    }
    if (told_)
      note(*run, "seen at w" + std::to_string(w) + " in [+" + format_duration(Duration(lo - run->due)) + ", +" +
                     format_duration(Duration(hi - run->due)) + "]");
  }
  feed(engine::EvidenceSeen{w, {text, item.number, instant(lo), instant(hi), {}}});
}

// All that has come to a topic and was not handed over; `lo`: it is not older.
void World::catch_up(size_t w, Time lo) {
  Place& place = places_[w];
  for (; place.next < place.log.size(); ++place.next) {
    const Item& item = place.log[place.next];
    const bool fresh = lo == item.arrival;
    const Time known = scenario_.watches[w].exact || fresh ? item.arrival : lo;
    hand_over(w, item, std::min(known, item.arrival), scenario_.watches[w].exact || fresh ? item.arrival : now_);
  }
}

void World::cover(size_t w, Time from, Time to) {
  oracle_->covered(w, now_, from, to);
  feed(engine::Covered{w, instant(from), instant(to)});
}

void World::heartbeat(size_t w) {
  soon(scenario_.watches[w].heartbeat, [this, w] { heartbeat(w); });
  Place& place = places_[w];
  if (place.sight != Sight::in_sight) return;
  if (scenario_.watches[w].reads_back) {
    catch_up(w, place.covered);
    cover(w, place.covered, now_);
    place.covered = now_;
    return;
  }
  // A hook claims nothing of a time when it was frozen.
  if (frozen_from_ > place.covered) place.covered = now_;
  const Time to = now_ - 2 * kHandOver;
  if (to > place.covered) {
    cover(w, place.covered, to);
    place.covered = to;
  }
}

void World::lose_sight(size_t w, Sight sight, Time length, Random& random) {
  Place& place = places_[w];
  if (place.sight != Sight::in_sight) return;
  place.sight = sight;
  if (told_)
    note_all("w" + std::to_string(w) + (sight == Sight::place_gone ? " is gone" : " is out of sight by our fault"));
  place.forgets = random.happens(0.2);
  place.later = random.happens(0.3);
  if (core_ && place.connected) {
    const bool ours = sight == Sight::own_fault;
    oracle_->sight(w, now_, sight);
    feed(engine::OutOfSight{w, {ours ? ErrorCode::no_descriptors : ErrorCode::connect_refused, "cannot be seen"}});
  }
  at(now_ + length, [this, w] { regain_sight(w); });
}

void World::regain_sight(size_t w) {
  Place& place = places_[w];
  if (place.sight == Sight::place_gone) place.gone_until = now_;
  place.sight = Sight::in_sight;
  if (!core_ || !place.connected) return;
  const Time from = place.covered;
  if (told_) note_all("w" + std::to_string(w) + " is back");
  if (!scenario_.watches[w].reads_back || place.forgets) {
    for (; place.next < place.log.size(); ++place.next) {
      if (Sent* const run = place.log[place.next].run ? sent(place.log[place.next].run) : nullptr) spoil(*run);
    }
    cover(w, now_, now_);
  } else if (place.later) {
    // It looks at what comes first, and reads the gap back when it finds the time.
    std::vector<Item> missed(place.log.begin() + static_cast<std::ptrdiff_t>(place.next), place.log.end());
    place.next = place.log.size();
    cover(w, now_, now_);
    soon(random_.between(kSecond, kMinute), [this, w, from, to = now_, missed] {
      const bool exact = scenario_.watches[w].exact;
      for (const Item& item : missed) hand_over(w, item, exact ? item.arrival : from, exact ? item.arrival : to);
      cover(w, from, to);
    });
  } else {
    catch_up(w, from);
    cover(w, from, now_);
  }
  place.covered = now_;
}

// Markers that are of no run that is open.
void World::stranger() {
  const double an_hour = scenario_.rate(Fault::strangers);
  const Time most = static_cast<Time>(2.0 * static_cast<double>(kHour) / an_hour) + 2;
  at(now_ + random_.between(1, most), [this] { stranger(); });
  Item item;
  item.arrival = now_;
  item.clock = process_offset_;
  item.number = next_item_++;
  const std::string name = scenario_.transactions.front().name();
  const uint64_t stream = codec_.stream("swarm", name);
  switch (random_.between(0, 5)) {
    case 0:
      item.stranger = other_codec_.marker({stream, epoch_, 1});
      break;
    case 1:
      item.stranger = codec_.marker({stream, epoch_ - 1000, 1});
      break;
    case 2:
      item.stranger = codec_.marker({stream, epoch_, 1 << 30});
      break;
    case 3:
      item.stranger = codec_.marker({stream, epoch_, 1}).substr(0, 30) + "!!";
      break;
    default:
      item.stranger.assign(200, 'x');
      item.stranger += "sonde1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
      break;
  }
  arrive(static_cast<size_t>(random_.between(0, static_cast<int64_t>(places_.size()))), item);
}

}  // namespace slosonde::swarm
