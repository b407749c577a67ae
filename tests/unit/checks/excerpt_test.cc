#include "checks/net/excerpt.h"

#include <gtest/gtest.h>

#include "checks/net/url.h"

namespace slosonde::checks {
namespace {

TEST(Excerpt, IsBoundedAndPrintable) {
  EXPECT_EQ(excerpt(""), "nothing");
  EXPECT_EQ(excerpt("plain"), "\"plain\"");
  EXPECT_EQ(excerpt("a\x1b[31m\nb\x7f"), "\"a.[31m.b.\"");
  EXPECT_EQ(excerpt("caf\xc3\xa9 \xff \xc2\x9b!"), "\"caf\xc3\xa9 . .!\"");
  EXPECT_EQ(excerpt("abcdef", 4), "\"abcd\" and 2 bytes more");
  EXPECT_EQ(excerpt("abc\xc3\xa9", 4), "\"abc\" and 2 bytes more");  // no half characters
}

TEST(Url, IsTakenApart) {
  const auto url = parse_url("HTTPS://Example.COM/a/b?token=hunter2#x").value();
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "example.com");
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.origin(), "https://example.com:443");
  EXPECT_EQ(url.shown(), "https://example.com/a/b?…");
  const auto v6 = parse_url("http://[::1]:8080").value();
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.shown(), "http://[::1]:8080/");
}

TEST(Url, ShowsNoCredentials) {
  EXPECT_EQ(parse_url("http://me:hunter2@h/x").value().shown(), "http://h/x");
}

TEST(Url, OnlyHttpIsAsked) {
  for (const char* bad : {"file:///etc/passwd", "ftp://h/", "http://", "http://h:0/", "http://h h/", "//h", ""}) {
    const auto url = parse_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().code, ErrorCode::malformed) << bad;
  }
}

TEST(Url, EncodesWhatIsNotUnreserved) {
  EXPECT_EQ(percent_encode("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(percent_encode("/ ?&\n\xc3\xa9"), "%2F%20%3F%26%0A%C3%A9");
}

}  // namespace
}  // namespace slosonde::checks
