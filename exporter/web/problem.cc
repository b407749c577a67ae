#include "exporter/web/problem.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "exporter/web/json_parts.h"

namespace slosonde::exporter {

namespace json = boost::json;

std::string_view status_title(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

Response problem(int status, std::string_view detail) {
  return problem(status, detail, {});
}

Response problem(int status, std::string_view detail, const std::vector<std::string>& mistakes) {
  json::object body{{"type", "about:blank"}, {"title", status_title(status)}, {"status", status}, {"detail", detail}};
  if (!mistakes.empty()) {
    json::array list;
    for (const std::string& one : mistakes) list.push_back(json_text(one));
    body["mistakes"] = std::move(list);
  }
  return {status, "application/problem+json", json::serialize(body) + "\n", {}};
}

Response json_answer(const json::value& value, int status) {
  return {status, "application/json", json_written(value) + "\n", {{"Cache-Control", "no-store"}}};
}

Response text_answer(std::string text, int status) {
  return {status, "text/plain; charset=utf-8", std::move(text), {{"Cache-Control", "no-store"}}};
}

}  // namespace slosonde::exporter
