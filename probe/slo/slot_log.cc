#include "probe/slo/slot_log.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace slosonde::slo {
namespace {

int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

SlotLog::SlotLog(Duration slot, Duration late_bound, Instant start)
    : slot_(slot), late_slots_(late_bound / slot), blocks_(std::make_shared<const Blocks>()) {
  assert(slot.count() > 0 && late_bound % slot == Duration::zero());
  begin_at(slot_at(start));
}

void SlotLog::watch_window(Duration window) {
  assert(window.count() > 0 && window % slot_ == Duration::zero());
  if (sum(window) != nullptr) return;
  if (open_.empty()) open_.resize(static_cast<size_t>(kBlockSlots + late_slots_ + 1));
  const int64_t slots = window / slot_;
  longest_ = std::max(longest_, slots);
  const auto behind =
      std::find_if(windows_.begin(), windows_.end(), [&](const Window& other) { return other.slots > slots; });
  windows_.insert(behind, Window{.length = window, .slots = slots, .sum = {}, .tail = {}});
}

int64_t SlotLog::slot_at(Instant t) const {
  return floor_div(unix_ns(t), slot_.count());
}

void SlotLog::advance(int64_t slot) {
  if (slot - current_ > longest_) begin_at(slot);  // nothing of now will be in any window
  while (current_ < slot) step();
}

void SlotLog::add(int64_t slot, Event event, uint64_t n) {
  assert(slot <= current_ && slot >= current_ - late_slots_);
  open_slot(slot)[event] += n;
  if (tracking_) note_change(slot);
  for (Window& window : windows_)
    if (slot >= current_ - window.slots) window.sum[event] += n;
}

void SlotLog::note_change(int64_t slot) {
  const int64_t number = floor_div(slot, kBlockSlots);
  if (!changed_.empty() && changed_.back() == number) return;
  const auto place = std::lower_bound(changed_.begin(), changed_.end(), number);
  if (place != changed_.end() && *place == number) return;
  changed_.insert(place, number);
  std::erase_if(changed_, [&](int64_t old) { return old < std::max(first_block(), first_block_); });
}

bool SlotLog::restore(std::span<const StoredBlock> blocks, int64_t last) {
  begin_at(blocks.empty() ? last : std::clamp(blocks.front().number * kBlockSlots, last - longest_, last));
  changed_.clear();
  for (const StoredBlock& stored : blocks) {
    const auto slots = read_stored(stored.bytes);
    if (!slots) {
      begin_at(last);
      changed_.clear();
      return false;
    }
    for (int64_t i = 0; i < kBlockSlots; ++i) {
      const int64_t slot = std::min(stored.number * kBlockSlots + i, last);
      const Counts& counts = (*slots)[static_cast<size_t>(i)];
      if (counts == Counts{} || slot < current_) continue;
      advance(slot);
      for (size_t event = 0; event < kEvents; ++event) {
        if (const uint64_t n = counts[static_cast<Event>(event)]; n > 0) add(slot, static_cast<Event>(event), n);
      }
    }
  }
  advance(last);
  changed_.clear();
  return true;
}

void SlotLog::take_changed(const BlockVisitor& visitor) {
  const int64_t first = std::max(first_block(), first_block_);
  for (const int64_t number : changed_)
    if (number >= first) visitor(number, *block(number));
  changed_.clear();
}

void SlotLog::visit_blocks(const BlockVisitor& visitor) const {
  const int64_t last = floor_div(current_, kBlockSlots);
  for (int64_t number = std::max(first_block(), first_block_); number <= last; ++number)
    visitor(number, *block(number));
}

int64_t SlotLog::first_block() const {
  return floor_div(current_ - longest_, kBlockSlots);
}

std::shared_ptr<const Block> SlotLog::block(int64_t number) const {
  const int64_t begin = number * kBlockSlots;
  if (begin < first_open_) return (*blocks_)[static_cast<size_t>(number - first_block_)];
  BlockSlots slots;
  for (int64_t i = 0; i < kBlockSlots && begin + i <= current_; ++i) {
    slots[static_cast<size_t>(i)] = open_slot(begin + i);
  }
  return std::make_shared<const Block>(slots);
}

const Counts* SlotLog::sum(Duration window) const {
  for (const Window& candidate : windows_)
    if (candidate.length == window) return &candidate.sum;
  return nullptr;
}

std::vector<Duration> SlotLog::windows() const {
  std::vector<Duration> all;
  all.reserve(windows_.size());
  for (const Window& window : windows_) all.push_back(window.length);
  return all;
}

void SlotLog::visit(const std::function<void(int64_t slot, const Counts& counts)>& visitor) const {
  BlockReader reader;
  const int64_t sealed_from = std::max(current_ - longest_, first_block_ * kBlockSlots);
  for (int64_t slot = sealed_from; slot < first_open_; ++slot) {
    const int64_t number = floor_div(slot, kBlockSlots);
    const Block& block = *(*blocks_)[static_cast<size_t>(number - first_block_)];
    const Counts& counts = reader.read(block, number, slot - number * kBlockSlots);
    if (counts != Counts{}) visitor(slot, counts);
  }
  for (int64_t slot = std::max(current_ - longest_, first_open_); slot <= current_; ++slot)
    if (open_slot(slot) != Counts{}) visitor(slot, open_slot(slot));
}

size_t SlotLog::memory_bytes() const {
  size_t bytes = sizeof(*this) + open_.capacity() * sizeof(Counts) + windows_.capacity() * sizeof(Window) +
                 blocks_->capacity() * sizeof(Blocks::value_type);
  const Block* before = nullptr;
  for (const auto& block : *blocks_) {
    if (block.get() != before) bytes += sizeof(Block) + block->bytes().capacity();
    before = block.get();
  }
  return bytes;
}

void SlotLog::step() {
  const int64_t next = current_ + 1;
  if (first_open_ + kBlockSlots <= next - late_slots_) seal_oldest();
  for (Window& window : windows_) window.sum -= leaving(window, next - window.slots - 1);
  current_ = next;
  open_slot(next) = Counts{};
}

void SlotLog::seal_oldest() {
  std::array<Counts, kBlockSlots> slots;
  for (int64_t i = 0; i < kBlockSlots; ++i) slots[static_cast<size_t>(i)] = open_slot(first_open_ + i);
  auto block = std::make_shared<const Block>(slots);
  if (!blocks_->empty() && *blocks_->back() == *block) block = blocks_->back();

  // Still needed: from the slot that leaves the longest window at this step.
  const int64_t wanted = std::max(first_block_, floor_div(current_ - longest_, kBlockSlots));
  const int64_t dropped = std::min(wanted - first_block_, static_cast<int64_t>(blocks_->size()));
  auto blocks = std::make_shared<Blocks>();
  blocks->reserve(blocks_->size() - static_cast<size_t>(dropped) + 1);
  blocks->insert(blocks->end(), blocks_->begin() + dropped, blocks_->end());
  blocks->push_back(std::move(block));
  blocks_ = std::move(blocks);
  first_block_ += dropped;
  first_open_ += kBlockSlots;
}

void SlotLog::begin_at(int64_t slot) {
  current_ = slot;
  first_block_ = floor_div(slot - late_slots_, kBlockSlots);
  first_open_ = first_block_ * kBlockSlots;
  blocks_ = std::make_shared<const Blocks>();
  std::erase_if(changed_, [&](int64_t number) { return number < first_block_; });
  std::fill(open_.begin(), open_.end(), Counts{});
  for (Window& window : windows_) window.sum = Counts{};
}

Counts SlotLog::leaving(Window& window, int64_t slot) const {
  if (slot >= first_open_) return open_slot(slot);
  const int64_t number = floor_div(slot, kBlockSlots);
  if (number < first_block_) return {};  // before the history
  const Block& block = *(*blocks_)[static_cast<size_t>(number - first_block_)];
  return window.tail.read(block, number, slot - number * kBlockSlots);
}

Counts& SlotLog::open_slot(int64_t slot) {
  return const_cast<Counts&>(std::as_const(*this).open_slot(slot));
}

const Counts& SlotLog::open_slot(int64_t slot) const {
  assert(slot >= first_open_ && slot - first_open_ < static_cast<int64_t>(open_.size()));
  const auto size = static_cast<int64_t>(open_.size());
  return open_[static_cast<size_t>((slot % size + size) % size)];
}

}  // namespace slosonde::slo
