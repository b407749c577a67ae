#include "checks/net/kafka_words.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace slosonde::checks {
namespace {

constexpr size_t kMaxBrokersBytes = 200;
constexpr size_t kMaxDetailBytes = 240;

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

bool is_about_connection(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
         code == RD_KAFKA_RESP_ERR__RESOLVE || code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__FAIL;
}

// One line, of bounded length, that can be shown.
std::string shorten(std::string_view text) {
  std::string line(text.substr(0, kMaxDetailBytes));
  for (char& one : line)
    if (std::iscntrl(static_cast<unsigned char>(one)) != 0) one = ' ';
  return line;
}

// librdkafka says "sasl_ssl://kafka-1:9093/bootstrap: What it met (after 5ms in state CONNECT)".
struct Complaint {
  std::string broker = "a broker", what;
};
Complaint take_apart(std::string_view text) {
  Complaint found;
  if (const size_t state = text.rfind(" (after "); state != std::string_view::npos) text = text.substr(0, state);
  const size_t end = text.find(": ");
  std::string_view name = text.substr(0, end);
  if (const size_t scheme = name.find("://"); scheme != std::string_view::npos) name.remove_prefix(scheme + 3);
  name = name.substr(0, name.find('/'));
  const size_t colon = name.rfind(':');
  if (end != std::string_view::npos && colon != std::string_view::npos && !has(name, " ")) {
    found.broker = shorten(name);
    text.remove_prefix(end + 2);
  }
  found.what = shorten(text);
  return found;
}

std::string about_connection(ErrorCode reason, std::string_view text) {
  const Complaint said = take_apart(text);
  switch (reason) {
    case ErrorCode::connect_refused:
      return "nothing listens at " + said.broker + "; start the broker, or correct `brokers`";
    case ErrorCode::resolve_failed:
      return "the name in " + said.broker + " has no address; correct `brokers`, or the name server";
    case ErrorCode::connect_timeout:
      return said.broker + " does not answer; look at the broker, and at what filters the way to it";
    case ErrorCode::connection_lost:
      return said.broker + " closed the connection; where it always does, it wants another `security_protocol`";
    case ErrorCode::tls_certificate:
      return "a certificate between us and " + said.broker +
             " is not accepted; look at `ca_file`, `certificate_file` " + "and the name in `brokers` (" + said.what +
             ")";
    case ErrorCode::tls_failed:
      return "no TLS with " + said.broker + "; look at `security_protocol` and the port (" + said.what + ")";
    case ErrorCode::no_descriptors:
      return "no file descriptor left for a connection; raise the limit of open files";
    default:
      return "no connection to " + said.broker + "; look at the broker, and at `brokers`" +
             (said.what.empty() ? "" : " (" + said.what + ")");
  }
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

std::string kafka_place(std::string_view topic, std::string_view brokers) {
  std::string place = "topic " + std::string(topic) + " on ";
  if (brokers.size() <= kMaxBrokersBytes) return place.append(brokers);
  const size_t shown = std::min(brokers.rfind(',', kMaxBrokersBytes), kMaxBrokersBytes);
  const auto all = 1 + std::ranges::count(brokers, ',');
  return place.append(brokers.substr(0, shown)) + ",… (" + std::to_string(all) + " brokers)";
}

Error kafka_error(std::string_view place, rd_kafka_resp_err_t code, std::string_view text) {
  const ErrorCode reason = kafka_error_code(code, text);
  std::string sentence(place);
  sentence += ": ";
  if (is_about_connection(code)) {
    sentence += about_connection(reason, text);
  } else {
    sentence += text.empty() ? std::string(rd_kafka_err2str(code)) : shorten(text);
    sentence += advice(code);
  }
  return {reason, std::move(sentence)};
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
