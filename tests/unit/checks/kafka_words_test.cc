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

}  // namespace
}  // namespace slosonde::checks
