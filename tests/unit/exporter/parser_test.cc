#include "exporter/web/parser.h"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "exporter/web/request.h"
#include "exporter/web/views.h"

namespace slosonde::exporter {
namespace {

namespace http = boost::beast::http;

// Puts everything in; ends with the error, if any.
boost::beast::error_code feed(RequestParser& parser, std::string_view text, size_t body_limit = 1000) {
  boost::beast::error_code code;
  while (!text.empty() && !parser.is_done()) {
    const size_t used = parser.put(boost::asio::buffer(text.data(), text.size()), code);
    text.remove_prefix(used);
    if (parser.is_header_done()) parser.limit_body(body_limit);
    if (code) return code;
  }
  return code;
}

TEST(RequestParser, KeepsTargetAndHeaders) {
  RequestParser parser(1024);
  EXPECT_FALSE(feed(parser, "GET /api/v1/runs?limit=2&x HTTP/1.1\r\nHoSt: a\r\nX-B: c d \r\n\r\n"));
  ASSERT_TRUE(parser.is_done());
  EXPECT_EQ(parser.head().method, "GET");
  EXPECT_EQ(parser.head().path, "/api/v1/runs");
  EXPECT_EQ(parser.head().query, "limit=2&x");
  ASSERT_NE(parser.head().header("host"), nullptr);
  EXPECT_EQ(*parser.head().header("host"), "a");
  EXPECT_EQ(*parser.head().header("x-b"), "c d");
  EXPECT_EQ(parser.head().header("x-c"), nullptr);
}

TEST(RequestParser, TakesAnAbsoluteTarget) {
  RequestParser parser(1024);
  EXPECT_FALSE(feed(parser, "GET http://probe:9465/metrics?a=b HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(parser.head().path, "/metrics");
  EXPECT_EQ(parser.head().query, "a=b");
  RequestParser bare(1024);
  EXPECT_FALSE(feed(bare, "GET http://probe:9465 HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(bare.head().path, "/");
}

TEST(RequestParser, JoinsAChunkedBody) {
  RequestParser parser(1024);
  EXPECT_FALSE(feed(parser,
                    "POST /h HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n"));
  ASSERT_TRUE(parser.is_done());
  EXPECT_EQ(parser.body(), "abcdefg");
}

TEST(RequestParser, LimitsTheSumOfChunks) {
  RequestParser parser(1024);
  EXPECT_EQ(feed(parser,
                 "POST /h HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
                 5),
            http::error::body_limit);
  RequestParser fits(1024);
  EXPECT_FALSE(feed(fits,
                    "POST /h HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                    5));
  RequestParser huge(1024);
  EXPECT_EQ(feed(huge, "POST /h HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx", 5),
            http::error::body_limit);
}

TEST(RequestParser, TwoLengthsAreNoRequest) {
  RequestParser both(1024);
  EXPECT_TRUE(feed(both, "POST /h HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"));
  RequestParser smuggled(1024);
  EXPECT_TRUE(feed(smuggled, "POST /h HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
}

TEST(Query, IsDecoded) {
  EXPECT_EQ(query_parameter("a=1&b=x+y%2Fz&a=2", "a"), "1");
  EXPECT_EQ(query_parameter("a=1&b=x+y%2Fz", "b"), "x y/z");
  EXPECT_EQ(query_parameter("a", "a"), "");
  EXPECT_EQ(query_parameter("a=1", "b"), std::nullopt);
  EXPECT_EQ(query_parameter("a=%zz", "a"), std::nullopt);
  EXPECT_EQ(query_parameter("a=%4", "a"), std::nullopt);
  EXPECT_EQ(query_parameter("a=%41", "a"), "A");
}

TEST(Gzip, IsSentOnlyToWhomItIsWelcome) {
  const auto accepts = [](std::string value) {
    RequestHead head;
    head.headers = {{"accept-encoding", std::move(value)}};
    return accepts_gzip(head);
  };
  EXPECT_TRUE(accepts("gzip"));
  EXPECT_TRUE(accepts("deflate, gzip;q=0.5, br"));
  EXPECT_TRUE(accepts("*"));
  EXPECT_FALSE(accepts("gzip;q=0"));
  EXPECT_FALSE(accepts("gzip;q=0, *"));
  EXPECT_FALSE(accepts("br, identity"));
  EXPECT_FALSE(accepts(""));
  EXPECT_FALSE(accepts_gzip({}));
}

}  // namespace
}  // namespace slosonde::exporter
