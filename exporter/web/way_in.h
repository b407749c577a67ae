// The way in from outside: whether what is sent to `hooks.external_url` arrives at this process. Somebody posts there,
// again and again, a nonce that only this process knows (probe/cli/hook_sight.h); it works for as long as each of them
// turns up here.
//
// What that means for silence. The way in is known to have worked up to the last arrival, and no further: nothing is
// vouched for after it. A nonce that did not arrive breaks the sight, for a sender's call may have been lost with it,
// and not every sender comes again: it begins anew with the next arrival. A way in that has never worked says nothing:
// its certificate may be of a private authority, or a load balancer route the senders' paths alone.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/web/trouble.h"
#include "probe/base/error.h"
#include "probe/base/time.h"
#include "probe/io/hooks.h"

namespace slosonde::exporter {

// Where the nonces arrive, below the external URL.
constexpr std::string_view kWayInPath = "/-/hook-sight";
// So many in a row that did not arrive: it is told to be broken.
constexpr int kWayInBroken = 2;

// What is not as it should be.
struct WayInTrouble {
  bool has_worked = false;
  Instant worked_at{};  // last, if ever
  std::string why;
};

// Any thread.
class WayIn {
 public:
  // `broke` is called for the first nonce that does not arrive after one that did; it must not call back.
  WayIn(std::function<void()> broke, Warn warn);

  // A nonce is going to be posted; the one before is void.
  void expect(std::string nonce);
  // Something was posted to kWayInPath, by whomever. False: it was not the nonce.
  bool arrived(std::string_view nonce, Instant not_before, Instant received);

  enum class State : uint8_t { works, broken, never_worked };
  // The post is over; `why` it has not arrived, if it has not. What arrives from now on is void.
  State ended(std::string why);

  // What is left of what the listener itself can vouch for.
  io::HookSight narrow(io::HookSight sight) const;
  std::optional<WayInTrouble> trouble() const;

 private:
  Error broken() const;

  const std::function<void()> broke_;
  const Warn warn_;
  mutable std::mutex mutex_;  // of all below
  std::string nonce_;         // empty: none is on its way
  int failures_ = 0;          // in a row
  bool has_worked_ = false;
  Instant from_ = Instant::min();  // the first arrival after a break
  Instant worked_at_{};            // the last arrival
  std::string why_;                // the last failure
};

}  // namespace slosonde::exporter
