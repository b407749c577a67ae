#include "probe/slo/slot_block.h"

#include <cassert>

namespace slosonde::slo {
namespace {

constexpr uint8_t kHasLength = 0x80;
constexpr uint8_t kHasRare = 0x40;
constexpr size_t kInHead = 6;  // counts whose bits are in the head byte; those of the others are in the rare byte
static_assert(kEvents > kInHead && kEvents <= kInHead + 8);
constexpr uint64_t kMostStored = uint64_t{1} << 48;  // events in a slot; more cannot have been

void put_varint(std::vector<uint8_t>& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

uint64_t get_varint(const std::vector<uint8_t>& in, size_t& offset) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const uint8_t byte = in[offset++];
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

void put_run(std::vector<uint8_t>& out, const Counts& counts, size_t length) {
  uint8_t head = length > 1 ? kHasLength : 0, rare = 0;
  for (size_t i = 0; i < kEvents; ++i) {
    if (counts[static_cast<Event>(i)] == 0) continue;
    if (i < kInHead) head |= static_cast<uint8_t>(1U << i);
    if (i >= kInHead) rare |= static_cast<uint8_t>(1U << (i - kInHead));
  }
  if (rare != 0) head |= kHasRare;
  out.push_back(head);
  if (length > 1) out.push_back(static_cast<uint8_t>(length));
  if (rare != 0) out.push_back(rare);
  for (size_t i = 0; i < kEvents; ++i)
    if (const uint64_t n = counts[static_cast<Event>(i)]; n != 0) put_varint(out, n);
}

// Of a run's two bytes: whether count `i` follows.
bool has_count(uint8_t head, uint8_t rare, size_t i) {
  return i < kInHead ? (head & (1U << i)) != 0 : (rare & (1U << (i - kInHead))) != 0;
}

}  // namespace

Block::Block(std::span<const Counts> slots) {
  assert(slots.size() == static_cast<size_t>(kBlockSlots));
  for (size_t begin = 0; begin < slots.size();) {
    size_t end = begin + 1;
    while (end < slots.size() && slots[end] == slots[begin]) ++end;
    put_run(bytes_, slots[begin], end - begin);
    begin = end;
  }
  bytes_.shrink_to_fit();
}

const Counts& BlockReader::read(const Block& block, int64_t number, int64_t index) {
  assert(index >= 0 && index < kBlockSlots);
  if (number != number_ || index < run_begin_) {
    number_ = number;
    run_begin_ = run_end_ = 0;
    offset_ = 0;
  }
  while (index >= run_end_) {
    const std::vector<uint8_t>& bytes = block.bytes();
    const uint8_t head = bytes[offset_++];
    run_begin_ = run_end_;
    run_end_ += (head & kHasLength) != 0 ? bytes[offset_++] : 1;
    const uint8_t rare = (head & kHasRare) != 0 ? bytes[offset_++] : 0;
    run_ = Counts{};
    for (size_t i = 0; i < kEvents; ++i)
      if (has_count(head, rare, i)) run_[static_cast<Event>(i)] = get_varint(bytes, offset_);
  }
  return run_;
}

std::optional<BlockSlots> read_stored(std::string_view bytes) {
  BlockSlots slots;
  size_t at = 0;
  const auto next = [&]() -> std::optional<uint8_t> {
    return at < bytes.size() ? std::optional(static_cast<uint8_t>(bytes[at++])) : std::nullopt;
  };
  const auto next_varint = [&]() -> std::optional<uint64_t> {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = next();
      if (!byte) return std::nullopt;
      value |= static_cast<uint64_t>(*byte & 0x7F) << shift;
      if ((*byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  };
  for (size_t slot = 0; slot < slots.size();) {
    const auto head = next();
    if (!head) return std::nullopt;
    const auto length = (*head & kHasLength) != 0 ? next() : std::optional<uint8_t>(1);
    if (!length || *length == 0 || *length > slots.size() - slot) return std::nullopt;
    const auto rare = (*head & kHasRare) != 0 ? next() : std::optional<uint8_t>(0);
    if (!rare || *rare >= 1 << (kEvents - kInHead)) return std::nullopt;
    Counts counts;
    for (size_t i = 0; i < kEvents; ++i) {
      if (!has_count(*head, *rare, i)) continue;
      const auto count = next_varint();
      if (!count || *count > kMostStored) return std::nullopt;
      counts[static_cast<Event>(i)] = *count;
    }
    for (size_t i = 0; i < *length; ++i) slots[slot++] = counts;
  }
  if (at != bytes.size()) return std::nullopt;
  return slots;
}

}  // namespace slosonde::slo
