// Exact latency quantiles of one stage over 5 m, 1 h and 6 h, with distribution-free bounds and honest censoring.
//
// All samples are kept (4 bytes each, microseconds), the newest 65,536 of a window at most, one store for all three
// windows. A run that never arrived (lost, failed) has no latency, only a time that it exceeded: it counts as +infinity
// for point and upper, as its limit for lower. A p95 that falls among such runs is +infinity, and says so.
//
// The bounds hold if runs are independent of each other; slow spells that last several runs make them too narrow. Say
// so where they are shown, and let no gate use them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "probe/base/time.h"

namespace slosonde::slo {

constexpr std::array<Duration, 3> kQuantileWindows = {std::chrono::minutes(5), std::chrono::hours(1),
                                                      std::chrono::hours(6)};
constexpr std::array<uint32_t, 3> kPercents = {50, 95, 99};
constexpr uint32_t kMostSamples = 65'536;

// Latencies from here on (71 min) are kept as "longer than this many ms".
constexpr Duration kLongestExact = std::chrono::microseconds(0xFEFF'FFFF);

// In seconds; may be +infinity.
struct QuantileEstimate {
  double point = 0;
  std::optional<double> lower;  // one-sided 95 %; none with fewer samples than it needs
  std::optional<double> upper;
};

struct Quantiles {
  uint32_t samples = 0;   // n, censored ones included
  uint32_t censored = 0;  // of these, lost or failed (or beyond kLongestExact)
  std::array<std::optional<QuantileEstimate>, kPercents.size()> at;  // as kPercents; none when n is 0
};

// Not thread-safe; a const copy may be read by any one thread. Copying shares all but the newest 1,024 samples.
// Starts without any allocation and grows with what is in the last 6 h.
class LatencySamples {
 public:
  // A run seen: its latency, from due (below 0 counts as 0, sub-microseconds are cut off). `t`, the instant of
  // decision, chooses the 10 s slot; one that is earlier than a sample already there counts in that one's slot. O(1).
  void add_seen(Instant t, Duration latency);

  // A run lost or failed: nothing arrived within `limit` (from due; whole milliseconds count, 4.6 h at most). O(1).
  void add_censored(Instant t, Duration limit);

  // Lets go of what is older than 6 h; add_*() does the same by itself. For stages that have gone quiet.
  void advance(Instant now);

  // Of the samples in `window` (one of kQuantileWindows; edges as in history.h: from `now` rounded down to 10 s, minus
  // the window). Copies the samples into `scratch` and selects: O(n), some 40 us at 1,440 samples (6 h at 15 s), 2.5 ms
  // at 65,536. Meant for the thread that renders, on its copy; not for the engine's.
  Quantiles quantiles(Duration window, Instant now, std::vector<uint32_t>& scratch) const;

  uint32_t size() const { return size_; }
  size_t memory_bytes() const;  // held, shared parts included; allocator overhead is left out

 private:
  struct Mark {    // a slot begins at this sample
    int32_t slot;  // of 10 s since the epoch
    uint32_t first;
  };
  struct Chunk {
    std::vector<uint32_t> codes;
    std::vector<Mark> marks;
  };

  void add_code(Instant t, uint32_t code);
  void drop_front();
  void drop_before(int32_t slot);
  static void gather(const Chunk& chunk, int32_t from, std::vector<uint32_t>& out);

  std::vector<std::shared_ptr<const Chunk>> sealed_;  // oldest first
  Chunk open_;
  uint32_t size_ = 0;  // in all chunks; up to one chunk more than kMostSamples
};

}  // namespace slosonde::slo
