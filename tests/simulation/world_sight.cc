// The places where evidence turns up: a topic that is polled and can be read back, a hook that cannot.
#include <algorithm>
#include <utility>

#include "tests/simulation/world.h"

namespace slosonde::simulation {

namespace {
constexpr size_t kTopic = 0, kHook = 1;
constexpr Time kHandOver = 2 * kMillisecond;
constexpr Time kHookEvery = kSecond;
constexpr Time kFrozen = 1500 * kMillisecond;  // a hook that was not turned for so long claims nothing of that time
}  // namespace

void World::cover(size_t watch, Time from, Time to) {
  facts_.watches[watch].coverage.push_back({now_, from, to});
  auto& sight = facts_.watches[watch].sight;
  if (!sight.empty() && sight.back().sight != Sight::in_sight) sight.push_back({now_, Sight::in_sight});
  feed(engine::Covered{watch, instant(from), instant(to)});
}

void World::tell(Item item, Time lo, Time hi) {
  item.fact.lo = lo;
  item.fact.hi = hi;
  item.fact.fed = now_;
  facts_.evidence.push_back(item.fact);
  feed(engine::EvidenceSeen{item.fact.watch, {item.text, item.fact.item, instant(lo), instant(hi), {}}});
}

void World::hand_over(const std::vector<Item>& items, Time lo, Time hi, bool exact) {
  for (const Item& item : items) tell(item, exact ? item.arrival : lo, exact ? item.arrival : hi);
}

void World::poll_topic() {
  at(now_ + random_.between(100 * kMillisecond, 400 * kMillisecond), [this] { poll_topic(); });
  if (gaps_[kTopic].sight != Sight::in_sight) return;
  const auto end =
      std::upper_bound(topic_.begin(), topic_.end(), now_, [](Time t, const Item& one) { return t < one.arrival; });
  std::vector<Item> items(std::make_move_iterator(topic_.begin()), std::make_move_iterator(end));
  topic_.erase(topic_.begin(), end);
  const Gap gap = std::exchange(gaps_[kTopic], Gap{});
  if (gap.forgotten) {
    // Retention was shorter than the gap: what came meanwhile is gone, and nothing can be said of that time.
    cover(kTopic, now_, now_);
  } else if (gap.read_back_later) {
    const Time from = topic_covered_, to = now_;
    cover(kTopic, now_, now_);
    at(now_ + random_.between(kSecond, 2 * kMinute), [this, items = std::move(items), from, to, exact = gap.exact] {
      hand_over(items, from, to, exact);
      cover(kTopic, from, to);
    });
  } else {
    hand_over(items, topic_covered_, now_, gap.exact || exact_topic_);
    cover(kTopic, topic_covered_, now_);
  }
  topic_covered_ = now_;
}

void World::arrive_at_hook(Item item) {
  const Gap& gap = gaps_[kHook];
  if (gap.sight != Sight::in_sight) {
    if (gap.forgotten) return;
    // The sender tries again.
    at(now_ + random_.between(kSecond, 30 * kSecond), [this, item = std::move(item)] { arrive_at_hook(item); });
    return;
  }
  // Stamped by the thread that took it; the core is told a moment later. After a freeze it may be as old as that.
  const Time stamped = now_, lo = now_ - last_hook_turn_ > kFrozen ? last_hook_turn_ : now_;
  at(now_ + random_.between(1, kHandOver), [this, item = std::move(item), lo, stamped] { tell(item, lo, stamped); });
}

void World::cover_hook() {
  at(now_ + kHookEvery + random_.between(0, kMillisecond), [this] { cover_hook(); });
  const bool frozen = now_ - last_hook_turn_ > kFrozen;
  last_hook_turn_ = now_;
  if (gaps_[kHook].sight != Sight::in_sight) {
    hook_covered_ = -1;
    return;
  }
  // Not ahead of what is still being handed over.
  const Time to = now_ - 2 * kHandOver;
  if (hook_covered_ < 0 || frozen) hook_covered_ = to;
  cover(kHook, hook_covered_, to);
  hook_covered_ = to;
}

void World::begin_gap(size_t watch, Gap gap, Time length) {
  if (gaps_[watch].sight != Sight::in_sight) return;
  gaps_[watch] = gap;
  const auto report = [this, watch](Sight sight) {
    facts_.watches[watch].sight.push_back({now_, sight});
    const bool ours = sight == Sight::own_fault;
    feed(engine::OutOfSight{watch, {ours ? ErrorCode::no_descriptors : ErrorCode::connect_refused, "cannot be seen"}});
  };
  report(gap.sight);
  // A broker that turns out to be gone after all, while we had trouble of our own.
  if (gap.sight == Sight::own_fault && random_.happens(0.3)) {
    at(now_ + length / 2, [this, watch, report] {
      if (gaps_[watch].sight != Sight::own_fault) return;
      gaps_[watch].sight = Sight::place_gone;
      report(Sight::place_gone);
    });
  }
  at(now_ + length, [this, watch] { gaps_[watch].sight = Sight::in_sight; });
}

}  // namespace slosonde::simulation
