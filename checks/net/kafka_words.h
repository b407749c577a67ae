// What librdkafka reports, in our own reasons and sentences. Pure; any thread.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>

#include "checks/check.h"
#include "probe/base/error.h"

namespace slosonde::checks {

// "topic logs on kafka-1:9092,kafka-2:9092"; of a long list of brokers, its beginning and how many there are.
std::string kafka_place(std::string_view topic, std::string_view brokers);

// The closed reason for an error of librdkafka's; where `code` leaves it open (transport, TLS) its text decides.
ErrorCode kafka_error_code(rd_kafka_resp_err_t code, std::string_view text);

// A sentence of bounded length: the place, what went wrong (at which broker, where the text tells), and what would be
// right where that is known.
Error kafka_error(std::string_view place, rd_kafka_resp_err_t code, std::string_view text);

// What an outcome the error stands for.
Outcome kafka_outcome(ErrorCode code);

}  // namespace slosonde::checks
