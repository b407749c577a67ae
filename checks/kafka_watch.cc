#include "checks/kafka_watch.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <ranges>
#include <utility>
#include <vector>

#include "checks/kafka.h"
#include "checks/net/kafka_cluster.h"
#include "checks/net/kafka_words.h"
#include "probe/base/bytes.h"

namespace slosonde::checks {
namespace {

using std::chrono::seconds;

constexpr int kMaxItemsATurn = 1000;
constexpr size_t kMaxBytesATurn = 4 * 1024 * 1024;
constexpr size_t kMaxKeptText = 64 * 1024;  // of the buffer for one message, once it has been handed over
constexpr auto kRestartEvery = seconds(2);
constexpr auto kLongestGap = std::chrono::hours(1);  // that is read back at the start
constexpr uint64_t kMostPartitions = 100'000;
constexpr auto kAwake = seconds(1);  // a turn later than this after its time: we were held up ourselves
// Between our clock and the stamps in the log, where nothing better is known.
constexpr auto kClockMargin = seconds(60);

// Distinct for every message of a topic: 2^24 partitions of 2^40 messages.
uint64_t item_of(int32_t partition, int64_t offset) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(partition)) << 40) ^ static_cast<uint64_t>(offset);
}

// Where the next message is no longer there, age has deleted it before we read it. (Where the partition was cut short,
// the comparison with its end says so.)
Error trouble_of(const std::string& place, const KafkaItem& item) {
  if (item.code != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && item.code != RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
    return kafka_error(place, item.code, item.text);
  return {ErrorCode::busy, place + ": what was to be read next is no longer there; reading goes on with what is left"};
}

void append_headers(std::string& text, const rd_kafka_headers_t* headers) {
  if (headers == nullptr) return;
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
    : settings_(std::move(settings)),
      io_(io),
      reader_(std::move(reader)),
      blame_(place()),
      append_clock_(settings_.clock_error) {}

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
  reader_->clear();
  // The answer first: what it speaks of stands in the queue or comes later, so nothing is proven too early, and the
  // partitions it brings are known before their messages. The clock after it: whatever it waited for us shows.
  auto answer = reader_->take_answer();
  const Instant now = io_.now();
  if (now - turned_ > settings_.ask_every + kAwake) {
    gap_until_ = now;
    blame_.awoke(now);
  }
  turned_ = now;
  append_clock_.look(now, io_.wall_offset());
  if (answer) {
    answered(std::move(*answer));
    tell(sink);
  }
  const auto drained = reader_->drain(kMaxItemsATurn, kMaxBytesATurn, [&](const KafkaItem& item) { take(sink, item); });
  queue_empty_ = drained.empty;
  prove(sink);
  tell(sink);
  if (!reader_->asking() && io_.now() >= asked_ + settings_.ask_every) ask();
  return !drained.empty;
}

void KafkaWatch::take(WatchSink& sink, const KafkaItem& item) {
  switch (item.kind) {
    case KafkaItem::Kind::message:
      hand_over(sink, item);
      reads(item.partition, item.offset + 1);
      break;
    case KafkaItem::Kind::end:
      // Past what is no message at all, such as a transaction's end.
      reads(item.partition, item.offset);
      break;
    case KafkaItem::Kind::trouble:
      // Seen by the questions as well, and without losing the place.
      if (item.code == RD_KAFKA_RESP_ERR__TRANSPORT || item.code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) break;
      coverage_.hold(item.partition);
      const auto [trouble, fresh] = troubles_.try_emplace(item.partition);
      if (fresh) trouble->second.retry = io_.now();
      trouble->second.error = trouble_of(place(item.partition), item);
      break;
  }
}

void KafkaWatch::reads(int32_t partition, int64_t position) {
  coverage_.handed_over(partition, position);
  const auto trouble = troubles_.find(partition);
  if (trouble == troubles_.end()) return;
  if (trouble->second.anew) {
    coverage_.hold(partition);
  } else {
    troubles_.erase(trouble);
  }
}

void KafkaWatch::hand_over(WatchSink& sink, const KafkaItem& item) {
  text_.assign(item.key);
  if (!text_.empty()) text_.push_back('\n');
  append_headers(text_, item.headers);
  if (std::max(item.value.size(), text_.size()) > settings_.max_message) skip(item, item.value.size() + text_.size());
  text_.resize(std::min(text_.size(), settings_.max_message));
  const std::string_view value = item.value.substr(0, settings_.max_message);
  Evidence evidence;
  evidence.text = value;
  if (!text_.empty()) evidence.text = text_.append(value);
  evidence.item = item_of(item.partition, item.offset);
  evidence.seen_hi = io_.now();
  evidence.seen_lo = std::min(oldest_arrival(), evidence.seen_hi);
  append_clock_.narrow(evidence, item.appended_unix_ms);
  sink.evidence(evidence);
  if (text_.capacity() > kMaxKeptText) text_ = {};
}

void KafkaWatch::skip(const KafkaItem& item, size_t size) {
  coverage_.skip(item.partition, item.offset);
  skipped_ = {ErrorCode::busy, place(item.partition) + ": the message at offset " + std::to_string(item.offset) +
                                   " has " + std::to_string(size) + " bytes, and only " +
                                   std::to_string(settings_.max_message) +
                                   " are looked through; what the rest holds is not known; raise `max_message`"};
}

Instant KafkaWatch::oldest_arrival() const {
  if (!coverage_.begun()) return kNever;
  const bool sharp = coverage_.proven() >= gap_until_ && !blame_.is_behind();
  return sharp ? kNever : coverage_.proven();
}

void KafkaWatch::ask() {
  asked_ = io_.now();
  blame_.asked(asked_);
  asked_positions_ = coverage_.positions();
  const Instant since = coverage_.proven() + io_.wall_offset() - kClockMargin;
  std::vector<KafkaRestart> restarts;
  for (auto& [partition, trouble] : troubles_) {
    if (trouble.retry > asked_) continue;
    trouble.retry = asked_ + kRestartEvery;
    restarts.push_back({.partition = partition,
                        .position = coverage_.position(partition).value_or(0),
                        .since_unix_ms = unix_ns(since) / 1'000'000,
                        .anew = trouble.anew});
  }
  reader_->ask(std::move(restarts));
}

void KafkaWatch::answered(KafkaAnswer answer) {
  answered_ = io_.now();
  blame_.answered(answer.error);
  if (answer.no_such_topic) {
    missing_topic_ = true;
    missing_at_ = asked_;
  }
  if (answer.error) return;
  if (!coverage_.begun()) {
    begin(answer);
  } else {
    follow(answer);
  }
  missing_topic_ = false;
}

std::string KafkaWatch::position() const {
  const Position now = kept_ ? *kept_ : Position{coverage_.proven(), coverage_.positions()};
  if (!kept_ && !coverage_.begun()) return {};
  if (coverage_.skipping() || coverage_.broken()) return sound_position_;
  ByteWriter out;
  out.put(now.proven);
  out.put(uint64_t{now.offsets.size()});
  for (const int64_t offset : now.offsets) out.put(static_cast<uint64_t>(offset));
  return sound_position_ = out.bytes();
}

void KafkaWatch::resume_from(std::string_view position) {
  ByteReader in(position);
  Position kept{in.instant(), {}};
  for (uint64_t left = in.number(kMostPartitions); left > 0 && !in.failed(); --left) {
    kept.offsets.push_back(static_cast<int64_t>(in.number(INT64_MAX)));
  }
  const Instant now = io_.now();
  if (in.ended_well() && kept.proven <= now && now - kept.proven <= kLongestGap) kept_ = std::move(kept);
}

// A topic that is shorter than the kept position is another one, or was cut: what was not read of it is gone.
bool KafkaWatch::fits(const Position& kept, const KafkaAnswer& answer) const {
  if (missing_topic_ || kept.offsets.size() > answer.ends.size()) return false;
  return std::ranges::equal(kept.offsets, answer.ends | std::views::take(kept.offsets.size()),
                            std::ranges::less_equal());
}

void KafkaWatch::begin(const KafkaAnswer& answer) {
  if (kept_ && coverage_.partitions() == 0 && !fits(*kept_, answer)) kept_.reset();
  for (size_t i = 0; i < answer.ends.size(); ++i) {
    const auto partition = static_cast<int32_t>(i);
    if (coverage_.position(partition)) continue;  // begun before another one failed to
    int64_t offset = answer.ends[i];
    if (missing_topic_) offset = 0;
    if (kept_) offset = i < kept_->offsets.size() ? kept_->offsets[i] : 0;
    if (const Error error = start(partition, offset, false)) return blame_.failed(error);
  }
  const bool from_before = missing_topic_ || kept_.has_value();
  coverage_.begin(missing_topic_ ? missing_at_ : kept_ ? kept_->proven : answered_);
  if (from_before) coverage_.ends(asked_, answer.ends);
  kept_.reset();
}

// Held until its end is reported: fetching takes up to a second to begin.
Error KafkaWatch::start(int32_t partition, int64_t offset, bool lost) {
  Error error = reader_->start(partition, offset);
  if (error) return error;
  coverage_.start(partition, offset, lost);
  coverage_.hold(partition);
  return error;
}

void KafkaWatch::follow(const KafkaAnswer& answer) {
  for (size_t i = 0; i < answer.ends.size(); ++i) {
    const auto partition = static_cast<int32_t>(i);
    if (coverage_.position(partition)) {
      compare(partition, answer.ends[i]);
    } else if (const Error error = start(partition, 0, false)) {
      blame_.failed(error);
    }
  }
  vanished(answer.ends.size());
  bool lost = false;
  for (const KafkaStopped& stopped : answer.stopped) lost = resume(stopped) || lost;
  if (missing_topic_) doubt_all();
  // What was lost may have arrived after the question.
  if (!lost) coverage_.ends(asked_, answer.ends);
}

bool KafkaWatch::resume(const KafkaStopped& stopped) {
  if (stopped.gone) {
    coverage_.forget(stopped.partition);
    troubles_.erase(stopped.partition);
    return true;
  }
  const Error error = start(stopped.partition, stopped.offset, stopped.lost);
  if (error) {
    blame_.failed(error);
    return stopped.lost;
  }
  // The trouble itself stays until something is read.
  const auto trouble = troubles_.find(stopped.partition);
  if (trouble != troubles_.end()) trouble->second.shorter = trouble->second.anew = false;
  return stopped.lost;
}

// A partition shorter than what had been read of it was cut or made anew; a new leader may say so for a moment only.
void KafkaWatch::compare(int32_t partition, int64_t end) {
  const auto i = static_cast<size_t>(partition);
  const int64_t position = *coverage_.position(partition);
  const bool shorter = i < asked_positions_.size() && std::min(position, asked_positions_[i]) > end;
  const auto found = troubles_.find(partition);
  const bool known = found != troubles_.end() && found->second.shorter;
  if (shorter && !known) {
    const auto [trouble, fresh] = troubles_.try_emplace(partition);
    if (fresh) trouble->second.retry = io_.now() + kRestartEvery;
    trouble->second.shorter = true;
    trouble->second.error = {ErrorCode::rejected,
                             place(partition) + ": shorter than what was read of it; it is begun again"};
    coverage_.hold(partition);
  } else if (!shorter && known) {
    troubles_.erase(found);
    coverage_.handed_over(partition, position);
  }
}

void KafkaWatch::vanished(size_t partitions) {
  for (size_t i = partitions; i < asked_positions_.size(); ++i) {
    const auto partition = static_cast<int32_t>(i);
    if (!coverage_.position(partition)) continue;
    coverage_.hold(partition);
    const auto [trouble, fresh] = troubles_.try_emplace(partition);
    if (fresh) trouble->second.retry = io_.now() + kRestartEvery;
    trouble->second.shorter = true;
    trouble->second.error = {ErrorCode::rejected, place(partition) + ": the topic no longer has it"};
  }
}

void KafkaWatch::doubt_all() {
  for (size_t i = 0; i < asked_positions_.size(); ++i) {
    const auto partition = static_cast<int32_t>(i);
    if (!coverage_.position(partition)) continue;
    coverage_.hold(partition);
    troubles_[partition] = {
        .error = {ErrorCode::rejected, place(partition) + ": the topic was not there for a while; it is begun again"},
        .retry = io_.now(),
        .anew = true};
  }
}

// By the clock of the turn: time in which we stand still in the middle of it shows at the next one.
void KafkaWatch::tell(WatchSink& sink) {
  blame_.behind(turned_, coverage_.behind(), queue_empty_);
  Error hides = blame_.what_hides(turned_, worst_trouble(), skipped_);
  if (!hides) return;
  gap_until_ = io_.now();
  if (hides.code == told_) return;
  told_ = hides.code;
  sink.out_of_sight(hides);
}

void KafkaWatch::prove(WatchSink& sink) {
  for (auto proven = coverage_.take(); proven; proven = coverage_.take()) {
    if (proven->skipped) continue;
    if (!coverage_.skipping()) skipped_ = {};
    sink.covered(proven->from, proven->to);
    told_ = ErrorCode::none;
  }
}

// Of single partitions: the place's before our own.
Error KafkaWatch::worst_trouble() const {
  const auto theirs = [](const auto& one) { return !is_own_fault(one.second.error.code); };
  auto worst = std::ranges::find_if(troubles_, theirs);
  if (worst == troubles_.end()) worst = troubles_.begin();
  return worst == troubles_.end() ? Error{} : worst->second.error;
}

}  // namespace slosonde::checks
