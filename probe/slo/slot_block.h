// Sixty slots of counts, run-length-coded: what a history's past is made of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "probe/base/time.h"
#include "probe/slo/counts.h"

namespace slosonde::slo {

constexpr int64_t kBlockSlots = 60;
using BlockSlots = std::array<Counts, kBlockSlots>;

// Where the block begins that t lies in.
constexpr Instant block_start(Instant t, Duration slot) {
  const int64_t length = slot.count() * kBlockSlots;
  const int64_t into = (unix_ns(t) % length + length) % length;
  return t - Duration(into);
}

// Immutable once made, so that any number of histories may share it. A run of equal slots is a head byte (which of the
// first six counts are not 0; whether the rare byte, and whether a length follows), the length if it is not 1, the rare
// byte (which of the other counts are not 0), and a varint for each count that is not 0: 2 bytes for a minute like no
// other, 3 for an hour of equal minutes.
class Block {
 public:
  explicit Block(std::span<const Counts> slots);  // exactly kBlockSlots

  // As it is stored; read_stored() is the way back.
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  friend bool operator==(const Block&, const Block&) = default;

 private:
  std::vector<uint8_t> bytes_;
};

struct StoredBlock {
  int64_t number = 0;  // of its first slot / kBlockSlots
  std::string_view bytes;
};

// The slots of a block that was stored. Nothing where the bytes cannot be a block's.
std::optional<BlockSlots> read_stored(std::string_view bytes);

// Reads a block's slots in order. Plain values: it may be copied, and holds no pointer.
class BlockReader {
 public:
  // The counts of slot `index` (0 … 59) of `block`, whose number is `number`. O(1) for the next slot; going back, or
  // into the middle of another block, reads from that block's start.
  const Counts& read(const Block& block, int64_t number, int64_t index);

 private:
  int64_t number_ = std::numeric_limits<int64_t>::min();
  int64_t run_begin_ = 0;  // slots [run_begin_, run_end_) have run_
  int64_t run_end_ = 0;
  size_t offset_ = 0;  // of the next run
  Counts run_;
};

}  // namespace slosonde::slo
