#include "checks/net/kafka_handle.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace slosonde::checks {
namespace {

constexpr std::chrono::seconds kExitPatience(2);

struct Graveyard {
  std::mutex mutex;
  std::condition_variable changed;
  int under_way = 0;
};

// Never destroyed: a burial may outlast everything else.
Graveyard& graveyard() {
  static auto* const yard = new Graveyard;
  return *yard;
}

struct ExitWait {
  ExitWait() = default;
  ExitWait(const ExitWait&) = delete;
  ExitWait& operator=(const ExitWait&) = delete;
  ~ExitWait() {
    std::unique_lock lock(graveyard().mutex);
    graveyard().changed.wait_for(lock, kExitPatience, [] { return graveyard().under_way == 0; });
  }
};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

ErrorCode transport_code(std::string_view text) {
  if (has(text, "Too many open files")) return ErrorCode::no_descriptors;
  if (has(text, "certificate")) return ErrorCode::tls_certificate;
  if (has(text, "SSL handshake") || has(text, "SSL transport")) return ErrorCode::tls_failed;
  if (has(text, "onnection refused")) return ErrorCode::connect_refused;
  if (has(text, "Failed to resolve")) return ErrorCode::resolve_failed;
  if (has(text, "timed out")) return ErrorCode::connect_timeout;
  if (has(text, "Disconnected") || has(text, "reset by peer")) return ErrorCode::connection_lost;
  return ErrorCode::connect_failed;
}

std::string_view advice(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      return "; create the topic, or correct `topic`";
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return "; the topic has fewer partitions than `partition` says";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return "; let this user describe the topic and read or write it";
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return "; look at `username`, `password_file` and `sasl_mechanism`";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return "; send less, or raise max.message.bytes of the topic (message.max.bytes in `properties` bounds it here)";
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return "; the topic has fewer replicas in sync than its min.insync.replicas";
    default:
      return "";
  }
}

}  // namespace

KafkaBurial::KafkaBurial() {
  const std::lock_guard lock(graveyard().mutex);
  ++graveyard().under_way;
  // Made after the first handle, so that it waits before OpenSSL's own clean-up at exit begins.
  static const ExitWait wait;
}

KafkaBurial::~KafkaBurial() {
  const std::lock_guard lock(graveyard().mutex);
  --graveyard().under_way;
  graveyard().changed.notify_all();
}

void bury_kafka(rd_kafka_t* handle) {
  auto burial = std::make_unique<KafkaBurial>();
  try {
    std::thread([handle, burial = std::move(burial)] { rd_kafka_destroy(handle); }).detach();
  } catch (const std::system_error&) {
    // No thread to be had: the handle is left as it is, which costs its memory and blocks nobody.
  }
}

Result<rd_kafka_t*> open_kafka(rd_kafka_type_t type, KafkaConf conf) {
  std::array<char, 512> text{};
  rd_kafka_t* handle = rd_kafka_new(type, conf.get(), text.data(), text.size());
  if (handle == nullptr)
    return fail(ErrorCode::bad_config, "librdkafka cannot start with these settings: " + std::string(text.data()));
  (void)conf.release();  // the handle's now
  return handle;
}

void KafkaComplaint::take(rd_kafka_event_t* event) {
  const rd_kafka_resp_err_t said = rd_kafka_event_error(event);
  if (said == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && *this) return;
  const char* words = rd_kafka_event_error_string(event);
  code = said;
  text = words == nullptr ? "" : words;
}

ErrorCode kafka_error_code(rd_kafka_resp_err_t code, std::string_view text) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return ErrorCode::none;
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return ErrorCode::resolve_failed;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__FAIL:
      return transport_code(text);
    case RD_KAFKA_RESP_ERR__SSL:
      return has(text, "certificate") ? ErrorCode::tls_certificate : ErrorCode::tls_failed;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return ErrorCode::unauthorised;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return ErrorCode::unconfirmed;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return ErrorCode::timeout;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      return ErrorCode::busy;
    case RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE:
      return ErrorCode::no_memory;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
      return ErrorCode::malformed;
    default:
      return ErrorCode::rejected;
  }
}

Error kafka_error(std::string_view what, rd_kafka_resp_err_t code, std::string_view text) {
  std::string sentence(what);
  sentence += ": ";
  sentence += text.empty() ? std::string_view(rd_kafka_err2str(code)) : text;
  sentence += advice(code);
  return {kafka_error_code(code, text), std::move(sentence)};
}

Outcome kafka_outcome(ErrorCode code) {
  if (is_own_fault(code)) return Outcome::probe_fault;
  switch (code) {
    case ErrorCode::none:
      return Outcome::held;
    case ErrorCode::unauthorised:
    case ErrorCode::rejected:
    case ErrorCode::too_large:
      return Outcome::refused;
    case ErrorCode::unconfirmed:
    case ErrorCode::timeout:
      return Outcome::timed_out;
    case ErrorCode::malformed:
      return Outcome::wrong;
    default:
      return Outcome::unreachable;
  }
}

}  // namespace slosonde::checks
