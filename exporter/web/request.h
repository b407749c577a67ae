// One HTTP request and its answer, as values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/base/time.h"

namespace slosonde::exporter {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Request line and headers; known before the body is.
struct RequestHead {
  std::string method;  // as sent: "GET"
  std::string target;  // as sent
  std::string path;    // of the target, without the query; not decoded
  std::string query;   // without the question mark; not decoded
  Headers headers;     // names in lower case
  bool http_1_1 = true;

  const std::string* header(std::string_view lower_name) const;  // the first of the name; nullptr: none
};

struct Request {
  RequestHead head;
  std::string body;
  Instant received{};    // when its last byte had been read
  Instant not_before{};  // its last byte had not arrived before
};

struct Response {
  int status = 200;
  std::string content_type;
  std::string body;
  Headers headers;  // besides Content-Type, Content-Length and Connection
};

// Called once, on the web thread, at once or later. Calling it after the connection has gone does nothing.
using Reply = std::function<void(Response)>;

// What is to be done with a request whose head has arrived.
struct Admission {
  size_t body_limit = 0;            // a larger body: 413
  bool counted_body = false;        // its bytes count against the limit of all bodies together
  std::optional<Response> refusal;  // given: answered at once, the body unread
};

// Decodes %XX and, in queries, '+'. Nothing when it is malformed.
std::optional<std::string> decode_percent(std::string_view text, bool plus_is_space);
// The value of a query's parameter, decoded; nothing when it is absent or malformed.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

}  // namespace slosonde::exporter
