#include "probe/slo/quantile.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "probe/slo/history.h"
#include "probe/slo/ranks.h"

namespace slosonde::slo {
namespace {

// A sample's code: a latency in microseconds, or, from kCensored on, kCensored + the whole milliseconds it exceeded. So
// all censored ones sort above all latencies.
constexpr uint32_t kCensored = 0xFF00'0000;
constexpr int64_t kMostCensored_ms = 0x00FF'FFFF;
static_assert(kLongestExact == std::chrono::microseconds(kCensored - 1));

constexpr size_t kChunkSamples = 1024;
constexpr Duration kLongestWindow = kQuantileWindows.back();

int32_t slot_at(Instant t) {
  using Slots = std::chrono::duration<int32_t, std::ratio<10>>;
  return std::chrono::floor<Slots>(t.time_since_epoch()).count();
}
static_assert(kFineSlot == std::chrono::seconds(10));

uint32_t censored_code(Duration exceeded) {
  const int64_t ms = std::chrono::floor<std::chrono::milliseconds>(exceeded).count();
  return kCensored + static_cast<uint32_t>(std::clamp<int64_t>(ms, 0, kMostCensored_ms));
}

double exceeded_or_equalled(uint32_t code) {
  return code >= kCensored ? (code - kCensored) * 1e-3 : code * 1e-6;
}

double censored_as_infinite(uint32_t code) {
  return code >= kCensored ? std::numeric_limits<double>::infinity() : code * 1e-6;
}

bool below(uint32_t a, uint32_t b) {
  return exceeded_or_equalled(a) < exceeded_or_equalled(b);
}

// Among latencies alone the two orders are one, and that of the codes is the quicker.
QuantileEstimate estimate(std::vector<uint32_t>& codes, bool censored, const Ranks& at) {
  const auto nth = [&codes](uint32_t rank, auto... order) {
    const auto place = codes.begin() + (rank - 1);
    std::nth_element(codes.begin(), place, codes.end(), order...);
    return *place;
  };
  QuantileEstimate result{.point = censored_as_infinite(nth(at.point)), .lower = {}, .upper = {}};
  if (at.upper != 0) result.upper = censored_as_infinite(nth(at.upper));
  if (at.lower != 0) result.lower = exceeded_or_equalled(censored ? nth(at.lower, below) : nth(at.lower));
  return result;
}

}  // namespace

void LatencySamples::add_seen(Instant t, Duration latency) {
  if (latency > kLongestExact) return add_code(t, censored_code(latency));
  const int64_t us = std::chrono::floor<std::chrono::microseconds>(latency).count();
  add_code(t, static_cast<uint32_t>(std::max<int64_t>(us, 0)));
}

void LatencySamples::add_censored(Instant t, Duration limit) {
  add_code(t, censored_code(limit));
}

void LatencySamples::advance(Instant now) {
  drop_before(slot_at(now) - static_cast<int32_t>(kLongestWindow / kFineSlot));
}

Quantiles LatencySamples::quantiles(Duration window, Instant now, std::vector<uint32_t>& scratch) const {
  assert(window.count() > 0 && window <= kLongestWindow && window % kFineSlot == Duration::zero());
  const int32_t from = slot_at(now) - static_cast<int32_t>(window / kFineSlot);
  scratch.clear();
  for (const auto& chunk : sealed_) gather(*chunk, from, scratch);
  gather(open_, from, scratch);
  if (scratch.size() > kMostSamples) scratch.erase(scratch.begin(), scratch.end() - kMostSamples);

  Quantiles result;
  result.samples = static_cast<uint32_t>(scratch.size());
  result.censored = static_cast<uint32_t>(
      std::count_if(scratch.begin(), scratch.end(), [](uint32_t code) { return code >= kCensored; }));
  if (scratch.empty()) return result;
  for (size_t i = 0; i < kPercents.size(); ++i) {
    result.at[i] = estimate(scratch, result.censored > 0, ranks(result.samples, kPercents[i]));
  }
  return result;
}

size_t LatencySamples::memory_bytes() const {
  const auto held = [](const Chunk& chunk) {
    return chunk.codes.capacity() * sizeof(uint32_t) + chunk.marks.capacity() * sizeof(Mark);
  };
  size_t bytes = sizeof(*this) + sealed_.capacity() * sizeof(sealed_[0]) + held(open_);
  for (const auto& chunk : sealed_) bytes += sizeof(Chunk) + held(*chunk);
  return bytes;
}

void LatencySamples::add_code(Instant t, uint32_t code) {
  advance(t);
  int32_t slot = slot_at(t);
  if (open_.codes.size() >= kChunkSamples) {
    open_.marks.shrink_to_fit();
    slot = std::max(slot, open_.marks.back().slot);
    sealed_.push_back(std::make_shared<const Chunk>(std::move(open_)));
    open_ = Chunk{};
  }
  if (open_.marks.empty() || slot > open_.marks.back().slot)
    open_.marks.push_back({slot, static_cast<uint32_t>(open_.codes.size())});
  open_.codes.push_back(code);
  ++size_;
  if (!sealed_.empty() && size_ - sealed_.front()->codes.size() >= kMostSamples) drop_front();
}

void LatencySamples::drop_front() {
  size_ -= static_cast<uint32_t>(sealed_.front()->codes.size());
  sealed_.erase(sealed_.begin());
}

void LatencySamples::drop_before(int32_t slot) {
  while (!sealed_.empty() && sealed_.front()->marks.back().slot < slot) drop_front();
  if (open_.codes.empty() || open_.marks.back().slot >= slot) return;
  size_ -= static_cast<uint32_t>(open_.codes.size());
  open_ = Chunk{};
}

void LatencySamples::gather(const Chunk& chunk, int32_t from, std::vector<uint32_t>& out) {
  const auto mark = std::lower_bound(chunk.marks.begin(), chunk.marks.end(), from,
                                     [](const Mark& each, int32_t slot) { return each.slot < slot; });
  if (mark == chunk.marks.end()) return;
  out.insert(out.end(), chunk.codes.begin() + mark->first, chunk.codes.end());
}

}  // namespace slosonde::slo
