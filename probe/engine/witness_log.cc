#include "probe/engine/witness_log.h"

#include <algorithm>

namespace slosonde::engine {

bool may_be_network(ErrorCode code) {
  switch (code) {
    case ErrorCode::resolve_failed:
    case ErrorCode::resolve_timeout:
    case ErrorCode::connect_failed:
    case ErrorCode::connect_timeout:
    case ErrorCode::tls_failed:
    case ErrorCode::send_failed:
    case ErrorCode::timeout:
    case ErrorCode::connection_lost:
    case ErrorCode::unconfirmed:
      return true;
    default:
      return false;
  }
}

bool WitnessLog::any_heard() const {
  return std::find(heard_.begin(), heard_.end(), true) != heard_.end();
}

void WitnessLog::take_over(WitnessLog& before, const std::vector<std::optional<size_t>>& was) {
  for (size_t i = 0; i < was.size() && i < last_.size(); ++i) {
    if (!was[i]) continue;
    last_[i] = before.last_[*was[i]];
    heard_[i] = before.heard_[*was[i]];
  }
  if (!any_heard()) return;
  last_known_ = before.last_known_;
  last_silent_ = before.last_silent_;
  silence_ = std::move(before.silence_);
}

WitnessLog::Said WitnessLog::say(size_t witness, Instant asked, bool reachable, Instant now) {
  if (witness >= last_.size() || asked < round_.asked) return {};
  last_[witness] = reachable;
  if (reachable) heard_[witness] = true;
  if (asked > round_.asked) round_ = {asked, 0, false};
  if (round_.known || (!reachable && ++round_.silent < last_.size())) return {};
  round_.known = true;
  last_known_ = asked;
  const bool silent = !reachable && any_heard();
  if (silent) silence_.add(last_silent_ ? silent_since() : asked, now);
  const bool turned = silent != last_silent_;
  last_silent_ = silent;
  return {true, turned};
}

Duration WitnessLog::silence(Instant from, Instant to) const {
  Duration sum{};
  for (const TimeSpan& span : silence_.spans()) {
    sum += std::max(std::min(span.to, to) - std::max(span.from, from), Duration::zero());
  }
  return sum;
}

std::optional<TimeSpan> WitnessLog::cause(Instant began, Instant failed) const {
  const Instant next_round = failed + kWitnessEvery;  // begins then at the latest
  std::optional<TimeSpan> last;
  for (const TimeSpan& span : silence_.spans()) {
    if (span.from <= next_round && span.to >= began) last = span;
  }
  if (!last || last->to >= failed) return last;
  return silence(began, failed) > (failed - began) / 2 ? last : std::nullopt;
}

WitnessLog::Side WitnessLog::side(Instant began, Instant failed, Instant now) const {
  if (none()) return Side::theirs;
  if (cause(began, failed)) return Side::ours;
  return last_known_ >= failed || now >= failed + kWitnessPatience ? Side::theirs : Side::unknown;
}

WitnessLog::Side WitnessLog::side_of_place(Instant began, Instant failed, Instant now) const {
  const Side at_first = side(began, failed, now);
  if (at_first != Side::ours) return at_first;
  const TimeSpan silent = *cause(began, failed);
  const bool lasts = last_silent_ && silent.from == silent_since();
  return lasts || now < silent.to + kWitnessRecovery ? Side::ours : Side::theirs;
}

Instant WitnessLog::recovered_at() const {
  const bool is_over = !last_silent_ && !silence_.spans().empty();
  return is_over ? silence_.spans().back().to + kWitnessRecovery : kNever;
}

}  // namespace slosonde::engine
