#include "probe/slo/history.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace slosonde::slo {

namespace {

// In ascending order of slots.
void put(SlotLog& log, int64_t slot, const Counts& counts) {
  log.advance(slot);
  for (size_t event = 0; event < kEvents; ++event) {
    if (const uint64_t n = counts[static_cast<Event>(event)]; n > 0) log.add(slot, static_cast<Event>(event), n);
  }
}

}  // namespace

Duration whole_slots(Duration window) {
  window = std::clamp(window, Duration(1), kLongestPeriod);
  const Duration slot = slot_of(window);
  return (window + slot - Duration(1)) / slot * slot;
}

History::History(Instant history_start, Duration period, const std::vector<Duration>& windows)
    : history_start_(history_start),
      now_(history_start),
      period_(whole_slots(period)),
      fine_(kFineSlot, kLateBound, history_start),
      coarse_(kCoarseSlot, kLateBound, history_start) {
  const auto watch = [this](Duration window) {
    SlotLog& log = slot_of(window) == kFineSlot ? fine_ : coarse_;
    log.watch_window(window);
  };
  watch(period_);
  for (const Duration window : windows) watch(whole_slots(window));
}

void History::add(Instant t, Event event, uint64_t n) {
  advance(t);
  if (t < now_ - kLateBound) {
    t = now_ - kLateBound;
    moved_ += n;
  }
  for (SlotLog* log : {&fine_, &coarse_})
    if (!log->empty()) log->add(log->slot_at(t), event, n);
}

void History::advance(Instant now) {
  if (now <= now_) return;
  now_ = now;
  for (SlotLog* log : {&fine_, &coarse_})
    if (!log->empty()) log->advance(log->slot_at(now));
}

const Counts& History::sum(Duration window) const {
  const Counts* sum = log_of(window).sum(whole_slots(window));
  assert(sum != nullptr && "a window that this history was not made for");
  return *sum;
}

Instant History::window_start(Duration window) const {
  const SlotLog& log = log_of(window);
  return instant_from_unix_ns(log.slot_at(now_) * log.slot().count()) - whole_slots(window);
}

Duration History::unobserved(Duration window) const {
  return std::clamp(history_start_ - window_start(window), Duration::zero(), whole_slots(window));
}

Instant History::next_change() const {
  // A minute's edge is an edge of the fine slots, too.
  const SlotLog& log = fine_.empty() ? coarse_ : fine_;
  return instant_from_unix_ns((log.slot_at(now_) + 1) * log.slot().count());
}

std::vector<Duration> History::windows() const {
  std::vector<Duration> all = fine_.windows();
  const std::vector<Duration> coarse = coarse_.windows();
  all.insert(all.end(), coarse.begin(), coarse.end());
  return all;
}

void History::visit(const Visitor& visitor) const {
  const SlotLog& log = coarse_.empty() ? fine_ : coarse_;
  log.visit([&](int64_t slot, const Counts& counts) {
    visitor(instant_from_unix_ns(slot * log.slot().count()), log.slot(), counts);
  });
}

void History::track_changes() {
  fine_.track_changes();
  coarse_.track_changes();
}

void History::take_changed(const BlockVisitor& visitor) {
  for (SlotLog* log : {&fine_, &coarse_}) {
    if (log->empty()) continue;
    log->take_changed([&](int64_t number, const Block& block) { visitor(log->slot(), number, block); });
  }
}

void History::visit_blocks(const BlockVisitor& visitor) const {
  for (const SlotLog* log : {&fine_, &coarse_}) {
    if (log->empty()) continue;
    log->visit_blocks([&](int64_t number, const Block& block) { visitor(log->slot(), number, block); });
  }
}

int64_t History::first_block(Duration slot) const {
  return (slot == kFineSlot ? fine_ : coarse_).first_block();
}

Duration History::longest(Duration slot) const {
  const std::vector<Duration> windows = (slot == kFineSlot ? fine_ : coarse_).windows();
  return windows.empty() ? Duration::zero() : windows.back();
}

bool History::restore(std::span<const StoredBlock> fine, std::span<const StoredBlock> coarse, Instant now,
                      Instant fine_since) {
  now_ = now;
  const bool fine_fits = fine_.empty() || fine_.restore(fine, fine_.slot_at(now));
  const bool coarse_fits = coarse_.empty() || coarse_.restore(coarse, coarse_.slot_at(now));
  if (fine_fits && coarse_fits) {
    if (coarse.empty() && !fine.empty()) fill_coarse();
    if (fine_since != Instant::min()) fill_fine(std::min(fine_since, now));
    return true;
  }
  for (SlotLog* log : {&fine_, &coarse_})
    if (!log->empty()) (void)log->restore({}, log->slot_at(now));
  return false;
}

void History::fill_coarse() {
  if (fine_.empty() || coarse_.empty()) return;
  const int64_t last = coarse_.slot_at(now_);
  bool begun = false;
  fine_.visit([&](int64_t slot, const Counts& counts) {
    const int64_t minute = coarse_.slot_at(instant_from_unix_ns(slot * kFineSlot.count()));
    if (!std::exchange(begun, true)) (void)coarse_.restore({}, minute);
    put(coarse_, minute, counts);
  });
  coarse_.advance(last);
}

void History::fill_fine(Instant until) {
  if (fine_.empty() || coarse_.empty()) return;
  const SlotLog kept = fine_;
  const int64_t last = fine_.slot_at(now_);
  const int64_t first = last - longest(kFineSlot) / kFineSlot;
  (void)fine_.restore({}, first);
  coarse_.visit([&](int64_t minute, const Counts& counts) {
    const Instant start = instant_from_unix_ns(minute * kCoarseSlot.count());
    if (start < until && fine_.slot_at(start) >= first) put(fine_, fine_.slot_at(start), counts);
  });
  kept.visit([&](int64_t slot, const Counts& counts) { put(fine_, slot, counts); });
  fine_.advance(last);
}

size_t History::memory_bytes() const {
  return sizeof(*this) - 2 * sizeof(SlotLog) + fine_.memory_bytes() + coarse_.memory_bytes();
}

const SlotLog& History::log_of(Duration window) const {
  return slot_of(whole_slots(window)) == kFineSlot ? fine_ : coarse_;
}

}  // namespace slosonde::slo
