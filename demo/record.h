// The records that travel through the pipeline, all of them JSON objects as text.
#pragma once

#include <string>
#include <string_view>

#include "probe/base/result.h"

namespace slosonde::demo {

constexpr size_t kMaxRecordBytes = 64 * 1024;

// A log as it was sent in, with the id it gets: the body must be a JSON object with a text under "message".
Result<std::string> log_from_request(std::string_view body, std::string_view id);

// The incident that a log makes; nothing (an empty text) when the log is harmless. An incident is made of every log
// whose message speaks of something that failed.
Result<std::string> incident_from_log(std::string_view log, std::string_view opened_at);

// The notification about an incident in Alertmanager's webhook format, version 4.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
Result<std::string> alert_from_incident(std::string_view incident);

// What a bad disk or a bad line of code does: the last letter or digit of the message becomes another.
std::string corrupted(std::string_view record);

}  // namespace slosonde::demo
