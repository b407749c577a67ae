#include "exporter/web/way_in.h"

#include <algorithm>
#include <utility>

namespace slosonde::exporter {

WayIn::WayIn(std::function<void()> broke, Warn warn) : broke_(std::move(broke)), warn_(std::move(warn)) {}

void WayIn::expect(std::string nonce) {
  const std::lock_guard lock(mutex_);
  nonce_ = std::move(nonce);
}

bool WayIn::arrived(std::string_view nonce, Instant not_before, Instant received) {
  const std::lock_guard lock(mutex_);
  if (nonce_.empty() || nonce != nonce_) return false;
  nonce_.clear();
  if (has_worked_ && failures_ > 0) from_ = received;
  failures_ = 0;
  has_worked_ = true;
  worked_at_ = std::max(worked_at_, not_before);
  return true;
}

WayIn::State WayIn::ended(std::string why) {
  const std::lock_guard lock(mutex_);
  if (nonce_.empty()) return State::works;
  nonce_.clear();
  ++failures_;
  why_ = std::move(why);
  if (has_worked_) {
    if (failures_ == 1) broke_();
    return State::broken;
  }
  if (failures_ == kWayInBroken && warn_)
    warn_("way in does not work", why_ +
                                      "; until it has worked once, webhook watches go on as if it did: what senders "
                                      "cannot deliver counts as lost");
  return State::never_worked;
}

Error WayIn::broken() const {
  return {ErrorCode::io_failed, "the way in from outside is broken: " + why_};
}

io::HookSight WayIn::narrow(io::HookSight sight) const {
  const std::lock_guard lock(mutex_);
  if (!has_worked_) return sight;
  if (failures_ >= kWayInBroken) return {sight.until, sight.until, broken()};
  if (from_ > sight.from) {
    sight.from = from_;
    sight.broken = broken();
  }
  sight.until = std::min(sight.until, worked_at_);
  return sight;
}

std::optional<WayInTrouble> WayIn::trouble() const {
  const std::lock_guard lock(mutex_);
  if (failures_ < kWayInBroken) return {};
  return WayInTrouble{has_worked_, worked_at_, why_};
}

}  // namespace slosonde::exporter
