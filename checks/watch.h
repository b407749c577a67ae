// A watch: one kind of place where evidence of runs turns up by itself.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "probe/base/error.h"
#include "probe/base/time.h"

namespace slosonde::checks {

// What a piece of evidence says of itself, where the format tells (Alertmanager's status).
enum class EvidencePhase : uint8_t { none, firing, resolved };

struct Evidence {
  std::string_view text;  // any text; the ledger finds the markers in it. Valid during the call only
  uint64_t item = 0;      // storage position: equal for a redelivery of the same item, different for a second copy
  Instant seen_lo{}, seen_hi{};  // it arrived within this interval, as far as the watch can know
  EvidencePhase phase = EvidencePhase::none;
  // Its sender may have tried before, and been turned away while we did not look: of a run whose time has a gap in
  // sight it arrived at any time from the gap's beginning on.
  bool may_be_again = false;
  // The place itself says when it came, to within the interval: how late we were to read it has no part in that.
  bool by_place = false;
};

// Where a watch reports. Engine thread.
class WatchSink {
 public:
  virtual ~WatchSink() = default;

  virtual void evidence(const Evidence& evidence) = 0;

  // All that arrived in [from, to] has been handed over: absence within it is proven. Never ahead of the hand-over; may
  // come later for an earlier time (a gap read back). The first call says that the watch is ready.
  virtual void covered(Instant from, Instant to) = 0;

  // The place cannot be seen (own fault or the place's, by the error's code). The next covered() ends it.
  virtual void out_of_sight(const Error& error) = 0;
};

// One per (kind, settings), shared by the stages that name it.
class Watch {
 public:
  virtual ~Watch() = default;
  // On the engine thread. Runs until cancelled; when it ends by itself it is out of sight with the error returned, and
  // is started again with backoff on the same object, which keeps its position. Never throws.
  virtual boost::asio::awaitable<Error> watch(WatchSink& sink) = 0;

  // Where it stands, for the watch of another process to go on from: everything before it has been handed over. Empty:
  // this kind has no position, or none yet. Engine thread.
  virtual std::string position() const { return {}; }
  // Before watch() is first awaited: goes on from there, as after a gap in sight. What is no position of this watch's
  // is ignored.
  virtual void resume_from(std::string_view /*position*/) {}
};

}  // namespace slosonde::checks
