#include "checks/kafka_blame.h"

#include <chrono>

namespace slosonde::checks {
namespace {

constexpr auto kAnswerPatience = std::chrono::seconds(5);  // several calls of the asking thread
constexpr auto kBehindPatience = std::chrono::seconds(5);

bool is_theirs(const Error& error) {
  return error && !is_own_fault(error.code);
}

}  // namespace

void KafkaBlame::asked(Instant now) {
  waits_since_ = now;
  slept_ = false;
}

void KafkaBlame::answered(const Error& error) {
  waits_since_ = kNever;
  if (!error || !slept_) unanswered_ = error;
}

void KafkaBlame::behind(Instant now, int64_t messages, bool queue_empty) {
  messages_ = messages;
  queue_empty_ = queue_empty;
  if (messages == 0) {
    behind_since_ = kNever;
  } else if (!is_behind()) {
    behind_since_ = now;
  }
}

void KafkaBlame::awoke(Instant now) {
  slept_ = true;
  if (waits_since_ != kNever) waits_since_ = now;
  if (is_behind()) behind_since_ = now;
}

Error KafkaBlame::what_hides(Instant now, const Error& trouble, const Error& skipped) const {
  if (unanswered_) return unanswered_;
  if (waits_since_ != kNever && now - waits_since_ > kAnswerPatience)
    return {ErrorCode::timeout, place_ + ": no answer from the brokers for " + format_duration(kAnswerPatience)};
  if (is_theirs(trouble)) return trouble;
  Error behind = what_is_behind(now);
  if (is_theirs(behind)) return behind;
  if (trouble) return trouble;
  return skipped ? skipped : behind;
}

Error KafkaBlame::what_is_behind(Instant now) const {
  if (!is_behind() || now - behind_since_ < kBehindPatience) return {};
  const std::string behind = place_ + ": " + std::to_string(messages_) + " messages behind";
  if (!queue_empty_) return {ErrorCode::busy, behind + "; they come faster than they can be looked through"};
  return {ErrorCode::timeout,
          behind + "; the brokers have not handed them out for " + format_duration(kBehindPatience)};
}

}  // namespace slosonde::checks
