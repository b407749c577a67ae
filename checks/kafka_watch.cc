#include "checks/kafka_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "checks/kafka.h"
#include "checks/net/kafka_cluster.h"
#include "checks/net/kafka_handle.h"

namespace slosonde::checks {
namespace {

using std::chrono::seconds;

constexpr int kMaxItemsATurn = 1000;
constexpr size_t kMaxBytesATurn = 4 * 1024 * 1024;
constexpr size_t kMaxKeptText = 64 * 1024;    // of the buffer for one message, once it has been handed over
constexpr auto kAnswerPatience = seconds(5);  // several calls of the asking thread
constexpr auto kBehindPatience = seconds(5);
constexpr auto kRestartEvery = seconds(2);
constexpr auto kAwake = seconds(1);  // a turn later than this after its time: we were held up ourselves
constexpr auto kClockMargin =
    seconds(60);  // between our clock and the stamps in the log, where nothing better is known

// Distinct for every message of a topic: 2^24 partitions of 2^40 messages.
uint64_t item_of(int32_t partition, int64_t offset) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(partition)) << 40) ^ static_cast<uint64_t>(offset);
}

void append_headers(std::string& text, const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    text.append(name).append(": ");
    if (value != nullptr) text.append(static_cast<const char*>(value), size);
    text.push_back('\n');
  }
}

}  // namespace

KafkaWatch::KafkaWatch(KafkaWatchSettings settings, io::Io& io, std::unique_ptr<KafkaReader> reader)
    : settings_(std::move(settings)), io_(io), reader_(std::move(reader)), behind_since_(kNever) {}

boost::asio::awaitable<Error> KafkaWatch::watch(WatchSink& sink) {
  told_ = ErrorCode::none;
  gap_until_ = io_.now();
  if (!reader_->asking()) ask();
  bool more = true;  // what came while nobody watched
  for (;;) {
    const Instant now = io_.now();
    Instant wake = reader_->asking() ? now + settings_.ask_every : std::max(asked_ + settings_.ask_every, now);
    if (more) wake = now;
    auto woken = co_await io_.readable(reader_->descriptor(), wake);
    if (!woken && woken.error().code != ErrorCode::timeout) co_return woken.error();
    more = turn(sink);
  }
}

bool KafkaWatch::turn(WatchSink& sink) {
  const Instant now = io_.now();
  if (now - turned_ > settings_.ask_every + kAwake) gap_until_ = now;
  reader_->clear();
  // The answer first: what it speaks of stands in the queue or comes later, so nothing is proven too early, and the
  // partitions it brings are known before their messages.
  if (auto answer = reader_->take_answer()) answered(std::move(*answer));
  const auto drained = reader_->drain(kMaxItemsATurn, kMaxBytesATurn, [&](const KafkaItem& item) { take(sink, item); });
  queue_empty_ = drained.empty;
  turned_ = now;
  report(sink);
  if (!reader_->asking() && io_.now() >= asked_ + settings_.ask_every) ask();
  return !drained.empty;
}

void KafkaWatch::take(WatchSink& sink, const KafkaItem& item) {
  switch (item.kind) {
    case KafkaItem::Kind::message:
      hand_over(sink, item);
      coverage_.handed_over(item.partition, item.offset + 1);
      troubles_.erase(item.partition);
      break;
    case KafkaItem::Kind::end:
      // Past what is no message at all, such as a transaction's end.
      coverage_.handed_over(item.partition, item.offset);
      troubles_.erase(item.partition);
      break;
    case KafkaItem::Kind::trouble:
      // Seen by the questions as well, and without losing the place.
      if (item.code == RD_KAFKA_RESP_ERR__TRANSPORT || item.code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) break;
      coverage_.hold(item.partition);
      const auto [trouble, fresh] = troubles_.try_emplace(item.partition);
      if (fresh) trouble->second.retry = io_.now();
      trouble->second.error =
          kafka_error(place() + ", partition " + std::to_string(item.partition), item.code, item.text);
      break;
  }
}

void KafkaWatch::hand_over(WatchSink& sink, const KafkaItem& item) {
  const rd_kafka_message_t& message = *item.message;
  const size_t size = std::min(message.len, settings_.max_message);
  ++counts_.messages;
  counts_.bytes += message.len + message.key_len;
  if (size < message.len) ++counts_.cut;
  text_.clear();
  if (message.key_len > 0) text_.append(static_cast<const char*>(message.key), message.key_len).push_back('\n');
  append_headers(text_, message);
  const std::string_view value(static_cast<const char*>(message.payload), size);
  Evidence evidence;
  evidence.text = value;
  if (!text_.empty()) evidence.text = text_.append(value);
  evidence.item = item_of(item.partition, item.offset);
  evidence.seen_hi = io_.now();
  evidence.seen_lo = std::min(oldest_arrival(), evidence.seen_hi);
  sink.evidence(evidence);
  if (text_.capacity() > kMaxKeptText) text_ = {};
}

Instant KafkaWatch::oldest_arrival() const {
  if (!coverage_.begun()) return kNever;
  const bool sharp = coverage_.proven() >= gap_until_ && behind_since_ == kNever;
  return sharp ? kNever : coverage_.proven();
}

void KafkaWatch::ask() {
  asked_ = io_.now();
  std::vector<KafkaRestart> restarts;
  for (auto& [partition, trouble] : troubles_) {
    if (trouble.retry > asked_) continue;
    trouble.retry = asked_ + kRestartEvery;
    const Instant since = coverage_.proven() + io_.wall_offset() - kClockMargin;
    restarts.push_back({partition, coverage_.position(partition).value_or(0), unix_ns(since) / 1'000'000});
  }
  reader_->ask(std::move(restarts));
}

void KafkaWatch::answered(KafkaAnswer answer) {
  answered_ = io_.now();
  unanswered_ = std::move(answer.error);
  if (answer.no_such_topic) {
    missing_topic_ = true;
    missing_at_ = asked_;
  }
  if (unanswered_) return;
  if (!coverage_.begun()) {
    begin(answer);
  } else {
    follow(answer);
  }
  missing_topic_ = false;
}

void KafkaWatch::begin(const KafkaAnswer& answer) {
  for (size_t i = 0; i < answer.ends.size(); ++i) {
    const auto partition = static_cast<int32_t>(i);
    const int64_t offset = missing_topic_ ? 0 : answer.ends[i];
    unanswered_ = reader_->start(partition, offset);
    if (unanswered_) return;
    coverage_.start(partition, offset);
    coverage_.hold(partition);  // until its end is reported: fetching takes up to a second to begin
  }
  coverage_.begin(missing_topic_ ? missing_at_ : answered_);
  if (missing_topic_) coverage_.ends(asked_, answer.ends);
}

void KafkaWatch::follow(const KafkaAnswer& answer) {
  for (const KafkaRestarted& restarted : answer.restarted) {
    ++counts_.restarts;
    if (restarted.lost) ++counts_.lost;
    coverage_.start(restarted.partition, restarted.offset, restarted.lost);
    coverage_.hold(restarted.partition);  // until something shows that it works
  }
  for (size_t i = 0; i < answer.ends.size(); ++i) {
    const auto partition = static_cast<int32_t>(i);
    const auto position = coverage_.position(partition);
    if (!position) {
      unanswered_ = reader_->start(partition, 0);
      if (unanswered_) return;
      coverage_.start(partition, 0);
      coverage_.hold(partition);
    } else {
      compare(partition, *position, answer.ends[i]);
    }
  }
  coverage_.ends(asked_, answer.ends);
}

// A partition shorter than what was read of it was cut or made anew; a new leader may say so for a moment only.
void KafkaWatch::compare(int32_t partition, int64_t position, int64_t end) {
  const auto trouble = troubles_.find(partition);
  const bool known = trouble != troubles_.end();
  if (position > end && !known) {
    troubles_[partition] = {{ErrorCode::rejected, place() + ", partition " + std::to_string(partition) +
                                                      ": shorter than what was read of it; it is begun again"},
                            io_.now() + kRestartEvery,
                            true};
    coverage_.hold(partition);
  } else if (position <= end && known && trouble->second.shorter) {
    troubles_.erase(trouble);
    coverage_.handed_over(partition, position);
  }
}

void KafkaWatch::report(WatchSink& sink) {
  const Instant now = io_.now();
  if (const auto proven = coverage_.take()) {
    sink.covered(proven->from, proven->to);
    told_ = ErrorCode::none;
  }
  if (coverage_.behind() == 0) {
    behind_since_ = kNever;
  } else if (behind_since_ == kNever) {
    behind_since_ = now;
  }
  Error hides = what_hides();
  if (!hides) return;
  gap_until_ = now;
  if (hides.code == told_) return;
  told_ = hides.code;
  sink.out_of_sight(hides);
}

Error KafkaWatch::what_hides() const {
  const Instant now = io_.now();
  if (unanswered_) return unanswered_;
  if (!troubles_.empty()) return troubles_.begin()->second.error;
  if (reader_->asking() && now - asked_ > kAnswerPatience)
    return {ErrorCode::timeout, place() + ": no answer from the brokers for " + format_duration(kAnswerPatience)};
  if (behind_since_ == kNever || now - behind_since_ < kBehindPatience) return {};
  const std::string behind = place() + ": " + std::to_string(coverage_.behind()) + " messages behind";
  if (!queue_empty_) return {ErrorCode::busy, behind + "; they come faster than they can be looked through"};
  return {ErrorCode::timeout,
          behind + "; the brokers have not handed them out for " + format_duration(kBehindPatience)};
}

}  // namespace slosonde::checks
