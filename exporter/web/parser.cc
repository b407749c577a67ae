#include "exporter/web/parser.h"

#include <boost/beast/http/error.hpp>
#include <boost/none.hpp>
#include <limits>

#include "probe/base/ascii.h"

namespace slosonde::exporter {
namespace http = boost::beast::http;
namespace {

std::string lower(boost::beast::string_view text) {
  std::string out(text.data(), text.size());
  for (char& c : out) c = ascii_lower(c);
  return out;
}

// "http://host:port/path" is as good a target as "/path" (RFC 9112, 3.2.2).
std::string_view origin_form(std::string_view target) {
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos || target.starts_with('/')) return target;
  const size_t path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

}  // namespace

RequestParser::RequestParser(size_t header_bytes) {
  header_limit(static_cast<std::uint32_t>(header_bytes));
  basic_parser::body_limit(boost::none);  // ours counts chunked bodies as a whole, too
}

void RequestParser::limit_body(size_t bytes) {
  body_limit_ = bytes;
}

bool RequestParser::announces_too_much() const {
  const auto length = content_length();
  return length && *length > body_limit_;
}

bool RequestParser::expects_continue() const {
  const std::string* expect = head_.header("expect");
  return expect && head_.http_1_1 && lower(*expect) == "100-continue";
}

void RequestParser::on_request_impl(Verb, Text method, Text target, int version, Code& code) {
  code = {};
  head_.method.assign(method.data(), method.size());
  head_.target.assign(target.data(), target.size());
  const std::string_view origin = origin_form(head_.target);
  const size_t question = std::min(origin.find('?'), origin.size());
  head_.path = origin.substr(0, question);
  head_.query = origin.substr(std::min(question + 1, origin.size()));
  head_.http_1_1 = version >= 11;
}

void RequestParser::on_response_impl(int, Text, int, Code& code) {
  code = http::error::bad_method;
}

void RequestParser::on_field_impl(Field, Text name, Text value, Code& code) {
  code = {};
  head_.headers.emplace_back(lower(name), std::string(value.data(), value.size()));
}

void RequestParser::on_header_impl(Code& code) {
  code = {};
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>&, Code& code) {
  code = {};
}

std::size_t RequestParser::keep(Text text, Code& code) {
  if (text.size() > body_limit_ - body_.size()) {
    code = http::error::body_limit;
    return 0;
  }
  code = {};
  body_.append(text.data(), text.size());
  return text.size();
}

std::size_t RequestParser::on_body_impl(Text text, Code& code) {
  return keep(text, code);
}

void RequestParser::on_chunk_header_impl(std::uint64_t size, Text, Code& code) {
  code = {};
  if (size > body_limit_ - body_.size()) code = http::error::body_limit;
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text text, Code& code) {
  return keep(text, code);
}

void RequestParser::on_finish_impl(Code& code) {
  code = {};
}

}  // namespace slosonde::exporter
