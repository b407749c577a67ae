// Beast's HTTP/1 request parser with our own, bounded, memory of what it found.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "exporter/web/request.h"

namespace slosonde::exporter {

// One request. Not eager: put() returns after the head, so that the body's limit can be set by what was asked for.
class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  explicit RequestParser(size_t header_bytes);

  // After the head, before more is put in. A larger body makes put() fail with http::error::body_limit.
  void limit_body(size_t bytes);
  // Whether the head announces a body larger than the limit.
  bool announces_too_much() const;
  bool expects_continue() const;

  RequestHead& head() { return head_; }
  std::string& body() { return body_; }

 private:
  using Text = boost::beast::string_view;
  using Code = boost::beast::error_code;
  using Verb = boost::beast::http::verb;
  using Field = boost::beast::http::field;

  void on_request_impl(Verb verb, Text method, Text target, int version, Code& code) override;
  void on_response_impl(int status, Text reason, int version, Code& code) override;
  void on_field_impl(Field field, Text name, Text value, Code& code) override;
  void on_header_impl(Code& code) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Code& code) override;
  std::size_t on_body_impl(Text text, Code& code) override;
  void on_chunk_header_impl(std::uint64_t size, Text extensions, Code& code) override;
  std::size_t on_chunk_body_impl(std::uint64_t remain, Text text, Code& code) override;
  void on_finish_impl(Code& code) override;

  std::size_t keep(Text text, Code& code);

  RequestHead head_;
  std::string body_;
  size_t body_limit_ = 0;
};

}  // namespace slosonde::exporter
