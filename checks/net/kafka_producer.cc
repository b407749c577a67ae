#include "checks/net/kafka_producer.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>

#include "checks/net/kafka_words.h"

namespace slosonde::checks {
namespace {

constexpr int kMaxEventsATurn = 1000;
constexpr uint64_t kOne = 1;
constexpr Duration kLeaderPatience = std::chrono::milliseconds(1500);

// Latency before throughput: nothing waits for company.
const KafkaProperties& defaults() {
  static const KafkaProperties properties = {
      {"linger.ms", "0"}, {"queue.buffering.max.messages", "10000"}, {"queue.buffering.max.kbytes", "65536"}};
  return properties;
}

KafkaProperties fixed(Duration message_timeout) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(message_timeout).count();
  return {{"acks", "all"},
          {"message.timeout.ms", std::to_string(ms)},
          // No single request may outlast what the message has.
          {"request.timeout.ms", std::to_string(std::min<int64_t>(ms, 10000))}};
}

// Blocks. What comes is kept by the handle.
rd_kafka_resp_err_t ask_for_topic(rd_kafka_t* handle, rd_kafka_topic_t* topic, int patience_ms) {
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, topic, &metadata, patience_ms);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
  if (metadata->topic_cnt == 1) code = metadata->topics[0].err;
  rd_kafka_metadata_destroy(metadata);
  return code;
}

}  // namespace

// One message on its way. Lives in the frame of its send().
struct KafkaProducer::Waiter {
  Waiter() : event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Waiter() {
    if (event >= 0) close(event);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void wake() const { (void)!write(event, &kOne, sizeof kOne); }
  void clear() const {
    uint64_t count = 0;
    (void)!read(event, &count, sizeof count);
  }

  const int event;
  bool done = false;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_msg_status_t status = RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
  std::string text;
};

// A waiter's place among those who wait; given up even when the coroutine is never resumed.
class KafkaProducer::Place {
 public:
  Place(KafkaProducer& producer, uint64_t number, Waiter& waiter) : producer_(producer), number_(number) {
    producer_.waiting_[number_] = &waiter;
    producer_.listen();
  }
  ~Place() {
    producer_.waiting_.erase(number_);
    producer_.listen();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  KafkaProducer& producer_;
  const uint64_t number_;
};

// Holds while its coroutine does.
class KafkaProducer::Asking {
 public:
  explicit Asking(bool& flag) : flag_(flag) { flag_ = true; }
  ~Asking() { flag_ = false; }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

 private:
  bool& flag_;
};

Result<std::shared_ptr<KafkaProducer>> KafkaProducer::open(const KafkaCluster& cluster, Duration message_timeout) {
  auto conf = kafka_conf(cluster, defaults(), fixed(message_timeout));
  if (!conf) return fail(std::move(conf).error());
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  auto handle = open_kafka(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!handle) return fail(std::move(handle).error());
  return std::shared_ptr<KafkaProducer>(new KafkaProducer(*handle, cluster.brokers));
}

KafkaProducer::KafkaProducer(rd_kafka_t* handle, std::string brokers)
    : handle_(handle), queue_(rd_kafka_queue_get_main(handle)), brokers_(std::move(brokers)) {}

KafkaProducer::~KafkaProducer() {
  for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic.handle);
  rd_kafka_queue_destroy(queue_);
  bury_kafka(handle_);
}

Error KafkaProducer::enqueue(const KafkaMessage& message, uint64_t number) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
  for (const auto& [name, value] : message.headers)
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  const void* key = message.key.empty() ? nullptr : message.key.data();
  // NOLINTBEGIN(performance-no-int-to-ptr): the message's number, as its opaque pointer
  const rd_kafka_resp_err_t code = rd_kafka_producev(
      handle_, RD_KAFKA_V_TOPIC(message.topic.c_str()), RD_KAFKA_V_PARTITION(message.partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, message.key.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(message.value.data()), message.value.size()), RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(number)), RD_KAFKA_V_END);
  // NOLINTEND(performance-no-int-to-ptr)
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  rd_kafka_headers_destroy(headers);  // not taken over
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    return {ErrorCode::busy,
            kafka_place(message.topic, brokers_) + ": too many messages wait to be sent; nothing was sent"};
  return kafka_error(kafka_place(message.topic, brokers_), code, "");
}

KafkaProducer::Topic* KafkaProducer::find_topic(const std::string& name) {
  const auto [found, fresh] = topics_.try_emplace(name);
  if (fresh) found->second.handle = rd_kafka_topic_new(handle_, name.c_str(), nullptr);
  if (found->second.handle != nullptr) return &found->second;
  topics_.erase(found);  // no name for a topic; sending says so
  return nullptr;
}

boost::asio::awaitable<ErrorCode> KafkaProducer::find_leaders(io::Io& io, Topic& topic, Instant deadline) {
  const Duration patience = std::clamp(deadline - io.now(), Duration(0), kLeaderPatience);
  const int patience_ms = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(patience).count());
  // Shared with the work, which may go on when nobody waits for it any more.
  const auto answer = std::make_shared<rd_kafka_resp_err_t>(RD_KAFKA_RESP_ERR__IN_PROGRESS);
  std::function<void()> work = [self = shared_from_this(), handle = topic.handle, patience_ms, answer] {
    *answer = ask_for_topic(self->handle_, handle, patience_ms);
  };
  const Instant until = io.now() + patience;
  const Asking asking(asking_);
  auto done = co_await io.blocking(std::move(work), until);
  if (done) topic.known = *answer;
  co_return done ? ErrorCode::none : done.error().code;
}

boost::asio::awaitable<KafkaReceipt> KafkaProducer::send(io::Io& io, KafkaMessage message, Instant deadline) {
  const auto self = shared_from_this();
  KafkaReceipt receipt;
  Waiter waiter;
  if (waiter.event < 0) {
    receipt.error = error_from_errno(errno, "an eventfd for a message to " + message.topic);
    co_return receipt;
  }
  Topic* const topic = find_topic(message.topic);
  const bool ask = !asking_ && topic != nullptr && topic->known != RD_KAFKA_RESP_ERR_NO_ERROR;
  if (ask) {
    auto found = co_await find_leaders(io, *topic, deadline);
    if (found == ErrorCode::cancelled) {
      receipt.error = {found, kafka_place(message.topic, brokers_) + ": stopped before anything was sent"};
      co_return receipt;
    }
  }
  const uint64_t number = ++sent_;
  receipt.error = enqueue(message, number);
  if (receipt.error) {
    receipt.delivery = is_own_fault(receipt.error.code) ? Delivery::none : Delivery::refused;
    co_return receipt;
  }
  const Place place(*this, number, waiter);
  ErrorCode stopped = ErrorCode::none;
  while (!waiter.done && stopped == ErrorCode::none) {
    auto woken = co_await io.readable(waiter.event, deadline);
    waiter.clear();
    drain();
    if (!woken) stopped = woken.error().code;
  }
  receipt.done = io.now();
  if (!waiter.done) {
    receipt.delivery = Delivery::unknown;
    receipt.error = gave_up(message.topic, stopped);
    co_return receipt;
  }
  if (waiter.code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    receipt.delivery = Delivery::acked;
    co_return receipt;
  }
  const bool timed_out = waiter.code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
  if (waiter.status != RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
    receipt.delivery = Delivery::unknown;
  } else {
    receipt.delivery = timed_out ? Delivery::none : Delivery::refused;
  }
  // A message that waited in vain for a connection: the connection's trouble says more.
  const bool say_why = timed_out && complaint_;
  receipt.error = kafka_error(kafka_place(message.topic, brokers_), say_why ? complaint_.code : waiter.code,
                              say_why ? complaint_.text : waiter.text);
  co_return receipt;
}

void KafkaProducer::listen() {
  if (waiting_.empty()) {
    rd_kafka_queue_io_event_enable(queue_, -1, nullptr, 0);
    return;
  }
  const Waiter& last = *waiting_.rbegin()->second;
  rd_kafka_queue_io_event_enable(queue_, last.event, &kOne, sizeof kOne);
  last.wake();  // what stood in the queue before is not signalled again
}

void KafkaProducer::drain() {
  for (int i = 0; i < kMaxEventsATurn; ++i) {
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue_, 0);
    if (event == nullptr) return;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
      while (const rd_kafka_message_t* report = rd_kafka_event_message_next(event)) deliver(*report);
    } else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
      complaint_.take(event);
    }
    rd_kafka_event_destroy(event);
  }
  if (!waiting_.empty()) waiting_.rbegin()->second->wake();  // there may be more: next turn
}

void KafkaProducer::deliver(const rd_kafka_message_t& report) {
  if (report.err == RD_KAFKA_RESP_ERR_NO_ERROR) complaint_ = {};
  const auto found = waiting_.find(reinterpret_cast<uint64_t>(report._private));
  if (found == waiting_.end()) return;  // nobody waits any more
  Waiter& waiter = *found->second;
  waiter.done = true;
  waiter.code = report.err;
  waiter.status = rd_kafka_message_status(&report);
  if (const char* text = rd_kafka_message_errstr(&report); text != nullptr && report.err != 0) waiter.text = text;
  waiter.wake();
}

Error KafkaProducer::gave_up(const std::string& topic, ErrorCode why) const {
  const std::string what = kafka_place(topic, brokers_);
  if (why != ErrorCode::timeout) return {why, what + ": stopped while waiting for the acknowledgement"};
  if (complaint_) return kafka_error(what, complaint_.code, complaint_.text);
  const auto asked = topics_.find(topic);
  if (asked != topics_.end() && asked->second.known == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    return kafka_error(what, asked->second.known, "");
  return {ErrorCode::unconfirmed, what + ": no acknowledgement in time; the message may still arrive"};
}

}  // namespace slosonde::checks
