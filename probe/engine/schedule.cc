#include "probe/engine/schedule.h"

#include <algorithm>
#include <utility>

namespace slosonde::engine {

namespace {

// Slots this late are all started: the loop's own grain is no stall.
constexpr Duration kSlotGrain = std::chrono::milliseconds(10);

// Where in its grid a transaction stands: spread evenly, and the same after every start. FNV-1a, mixed as in
// splitmix64's last step.
Duration phase_of(std::string_view probe, std::string_view transaction, Duration every) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ 0xff) * 0x100000001b3;
  };
  add(probe);
  add(transaction);
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  hash ^= hash >> 31;
  return every > Duration::zero() ? Duration(static_cast<int64_t>(hash % static_cast<uint64_t>(every.count())))
                                  : Duration::zero();
}

}  // namespace

Schedule::Schedule(const Plan& plan, ScheduleQueue& queue, Instant start, bool runs)
    : plan_(plan), queue_(queue), runs_(runs), grids_(plan.transactions.size()) {
  for (size_t i = 0; i < grids_.size(); ++i) {
    const TransactionPlan& transaction = plan.transactions[i];
    grids_[i].phase = phase_of(plan.probe, transaction.name, transaction.every);
    grids_[i].since = start;
  }
}

void Schedule::drain() {
  draining_ = true;
  for (Grid& grid : grids_) {
    if (grid.begun) grid.owed = grid.next;
    grid.next = kNever;
  }
}

MissedSlots Schedule::resume(uint32_t transaction, Instant slot, Instant now, std::string_view why) {
  Grid& grid = grids_[transaction];
  const Duration every = plan_.transactions[transaction].every;
  if (grid.begun || !runs_ || every <= Duration::zero()) return {};
  if (slot - now > every || (slot.time_since_epoch() - grid.phase) % every != Duration::zero()) return {};
  const int64_t missed = slot < now ? (now - slot + every - Duration(1)) / every : 0;
  grid.owed = slot + every * missed;
  if (missed == 0) return {};
  return miss(transaction, slot, static_cast<uint64_t>(missed), why);
}

std::optional<Instant> Schedule::resume_at(uint32_t transaction) const {
  const Grid& grid = grids_[transaction];
  return grid.begun && grid.next != kNever ? grid.next : grid.owed;
}

void Schedule::take_over(uint32_t transaction, Schedule& before, uint32_t was) {
  Grid& grid = grids_[transaction];
  grid = std::exchange(before.grids_[was], Grid{});
  if (grid.next != kNever) queue_.push(grid.next, DueKind::slot, transaction);
  if (!grid.begun) queue_.push(grid.since + plan_.settle, DueKind::slot, transaction);
}

void Schedule::begin_if_ready(uint32_t transaction, Instant now, bool ready) {
  Grid& grid = grids_[transaction];
  const Duration every = plan_.transactions[transaction].every;
  if (grid.begun || draining_ || !runs_ || every <= Duration::zero()) return;
  if (!ready && now < grid.since + plan_.settle) return;
  grid.begun = true;
  if (const auto owed = std::exchange(grid.owed, std::nullopt)) return next_is(transaction, *owed);
  const Duration past = (now.time_since_epoch() - grid.phase) % every;  // since the last slot
  next_is(transaction, past == Duration::zero() ? now : now - past + every);
}

void Schedule::next_is(uint32_t transaction, Instant slot) {
  grids_[transaction].next = slot;
  queue_.push(slot, DueKind::slot, transaction);
}

// Of the slots due by now, those within the loop's own grain are started; after a stall, at most the newest.
std::optional<MissedSlots> Schedule::take(uint32_t transaction, Instant slot, Instant now) {
  const TransactionPlan& plan = plan_.transactions[transaction];
  const Duration every = plan.every;
  const Duration lateness = now - slot;
  // Limits count from due: a run that starts with little of its first limit left would be bad because of us.
  const Duration latest = std::min(plan_.max_lateness, plan.stages.front().within / 2);
  const Duration grain = std::min(kSlotGrain, latest);
  if (lateness > grain) {
    const auto newest = static_cast<uint64_t>(lateness / every);  // counted from `slot`
    const auto first_in_grain = static_cast<uint64_t>((lateness - grain + every - Duration(1)) / every);
    uint64_t missed = std::min(first_in_grain, newest);
    if (lateness - every * static_cast<int64_t>(newest) > latest) missed = newest + 1;
    if (missed > 0) {
      next_is(transaction, slot + every * static_cast<int64_t>(missed));
      return miss(transaction, slot, missed, "the probe was held up and came too late for it");
    }
  }
  next_is(transaction, slot + every);
  return std::nullopt;
}

MissedSlots Schedule::skip(uint32_t transaction, Instant slot, std::string_view why) {
  return miss(transaction, slot, 1, why);
}

MissedSlots Schedule::miss(uint32_t transaction, Instant first, uint64_t count, std::string_view why) {
  return {first, count, why, !std::exchange(grids_[transaction].missing, true)};
}

}  // namespace slosonde::engine
