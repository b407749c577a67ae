#include "checks/net/kafka_words.h"

#include <gtest/gtest.h>

namespace slosonde::checks {
namespace {

TEST(KafkaErrors, TransportIsToldApartByItsWords) {
  const auto code = [](std::string_view text) { return kafka_error_code(RD_KAFKA_RESP_ERR__TRANSPORT, text); };
  EXPECT_EQ(
      code(
          "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)"),
      ErrorCode::connect_refused);
  EXPECT_EQ(code("a:1/1: Disconnected (after 3584ms in state UP)"), ErrorCode::connection_lost);
  EXPECT_EQ(code("a:1/bootstrap: Connection setup timed out in state CONNECT (after 5003ms in state CONNECT)"),
            ErrorCode::connect_timeout);
  EXPECT_EQ(code("a:1/bootstrap: Failed to resolve 'a:1': Name or service not known"), ErrorCode::resolve_failed);
  EXPECT_EQ(code("ssl://a:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed"),
            ErrorCode::tls_certificate);
  EXPECT_EQ(code("ssl://a:1/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?"),
            ErrorCode::tls_failed);
  EXPECT_EQ(code("Failed to create socket: Too many open files"), ErrorCode::no_descriptors);
}

TEST(KafkaErrors, EachHasItsReasonAndOutcome) {
  const auto outcome = [](rd_kafka_resp_err_t code) { return kafka_outcome(kafka_error_code(code, "")); };
  EXPECT_EQ(outcome(RD_KAFKA_RESP_ERR_NO_ERROR), Outcome::held);
  EXPECT_EQ(outcome(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART), Outcome::refused);
  EXPECT_EQ(outcome(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), Outcome::refused);
  EXPECT_EQ(outcome(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), Outcome::refused);
  EXPECT_EQ(outcome(RD_KAFKA_RESP_ERR__AUTHENTICATION), Outcome::refused);
  EXPECT_EQ(outcome(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT), Outcome::timed_out);
  EXPECT_EQ(outcome(RD_KAFKA_RESP_ERR__QUEUE_FULL), Outcome::probe_fault);
  EXPECT_EQ(outcome(RD_KAFKA_RESP_ERR__RESOLVE), Outcome::unreachable);
  EXPECT_EQ(kafka_error_code(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ""), ErrorCode::unauthorised);
}

TEST(KafkaErrors, TheSentenceSaysWhereWhatAndWhatToDo) {
  const Error error = kafka_error("topic logs on a:1", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "");
  EXPECT_EQ(error.code, ErrorCode::rejected);
  EXPECT_EQ(error.text, "topic logs on a:1: Broker: Unknown topic or partition; create the topic, or correct `topic`");
}

TEST(KafkaErrors, OfAConnectionTheSentenceIsOurs) {
  const auto said = [](std::string_view text) {
    return kafka_error("topic logs on a:1", RD_KAFKA_RESP_ERR__TRANSPORT, text).text;
  };
  EXPECT_EQ(said("a:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)"),
            "topic logs on a:1: nothing listens at a:1; start the broker, or correct `brokers`");
  EXPECT_EQ(said("a:1/bootstrap: Failed to resolve 'a:1': Name or service not known (after 2ms in state CONNECT)"),
            "topic logs on a:1: the name in a:1 has no address; correct `brokers`, or the name server");
  EXPECT_EQ(said("a:1/1: Disconnected (after 3584ms in state UP)"),
            "topic logs on a:1: a:1 closed the connection; where it always does, it wants another `security_protocol`");
  EXPECT_EQ(said("a:1/1: Connection setup timed out in state CONNECT (after 5003ms in state CONNECT)"),
            "topic logs on a:1: a:1 does not answer; look at the broker, and at what filters the way to it");
  EXPECT_EQ(
      said("sasl_ssl://[::1]:9093/bootstrap: SSL handshake failed: bad\nrecord (after 1ms in state SSL_HANDSHAKE)"),
      "topic logs on a:1: no TLS with [::1]:9093; look at `security_protocol` and the port "
      "(SSL handshake failed: bad record)");
  EXPECT_EQ(
      said("2/2 brokers are down"),
      "topic logs on a:1: no connection to a broker; look at the broker, and at `brokers` (2/2 brokers are down)");
  EXPECT_EQ(said(""), "topic logs on a:1: no connection to a broker; look at the broker, and at `brokers`");
}

TEST(KafkaErrors, NoSentenceIsLongerThanCanBeRead) {
  std::string brokers = "kafka-1.example:9092";
  for (int i = 2; i <= 32; ++i) brokers += ",kafka-" + std::to_string(i) + ".example:9092";
  const std::string place = kafka_place("logs", brokers);
  EXPECT_LT(place.size(), 250U);
  EXPECT_TRUE(place.starts_with("topic logs on kafka-1.example:9092,kafka-2.example:9092,")) << place;
  EXPECT_TRUE(place.ends_with(".example:9092,… (32 brokers)")) << place;
  EXPECT_EQ(kafka_place("logs", "a:1,b:2"), "topic logs on a:1,b:2");
  const std::string long_text(10'000, 'x');
  for (const auto code : {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR_UNKNOWN})
    EXPECT_LT(kafka_error(place, code, long_text).text.size(), 800U);
}

}  // namespace
}  // namespace slosonde::checks
