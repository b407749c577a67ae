// A check: one kind of thing that can be done to a target within a deadline, and what came of it.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/base/error.h"
#include "probe/base/time.h"
#include "probe/config/template.h"
#include "probe/io/io.h"

namespace slosonde::checks {

enum class Outcome : uint8_t {
  held,         // it did what was expected
  not_yet,      // a valid answer that does not hold; a poll asks again, a plain stage fails with the error
  refused,      // the target said no (status, credentials, rejection)
  wrong,        // an answer, but not one the protocol or `expect` allows
  unreachable,  // no answer: name, connection, TLS
  timed_out,    // the deadline came first
  probe_fault,  // our own side could not act; never held against the target
};

// What is known of the thing sent, for stages that send.
enum class Delivery : uint8_t { none, acked, refused, unknown };
constexpr int kDeliveries = 4;

enum class Phase : uint8_t { resolve, connect, tls, send, wait, receive };
constexpr int kPhases = 6;
std::string_view name(Phase phase);

// How long each phase took; nothing for one that did not happen (no TLS, a reused connection).
using Phases = std::array<std::optional<Duration>, kPhases>;

using Captures = std::map<std::string, std::string, std::less<>>;
constexpr size_t kMaxCaptures = 16;        // a run's, all together
constexpr size_t kMaxCaptureBytes = 1024;  // each; a longer one is `too_large`

// Everything a check may know of the run it serves. Valid until the coroutine ends; engine thread.
struct RunContext final : config::Variables {
  explicit RunContext(io::Io& world) : io(world) {}
  std::optional<std::string_view> variable(std::string_view name) const override;  // for templates

  io::Io& io;
  std::string_view transaction, stage, probe, region, zone;
  std::string_view marker, traceparent, payload;  // traceparent's parent is this stage's span
  uint64_t seq = 0;
  Instant due{}, deadline{};  // end at the deadline; what is stamped later than that is late
  unsigned attempt = 0;       // 0 for the first; polls count up
  bool polling = false;       // a valid answer that does not hold yet should be not_yet, and evidence be returned
  const Captures* captures = nullptr;  // of earlier stages

 private:
  mutable std::string number_;  // backs variable() for numbers
};

struct CheckResult {
  Outcome outcome = Outcome::probe_fault;
  Delivery delivery = Delivery::none;
  Error error;  // set unless held
  Phases phases;
  Instant sent{}, received{};  // first byte out, last byte in, as far as it came
  std::string evidence;        // text to scan for markers (bounded by the check's own limit); polls need it
  Captures captures;           // new ones
  std::optional<Instant> certificate_expiry;
};

class Check {
 public:
  virtual ~Check() = default;
  // On the engine thread, several at once for different runs; ends by the context's deadline or soon after it is
  // cancelled; never throws.
  virtual boost::asio::awaitable<CheckResult> run(RunContext& context) = 0;
};

}  // namespace slosonde::checks
