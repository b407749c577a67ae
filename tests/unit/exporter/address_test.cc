#include "exporter/web/address.h"

#include <gmock/gmock.h>

namespace slosonde::exporter {
namespace {

using testing::HasSubstr;

bool is_local(const std::string& text) {
  const auto address = parse_address(text);
  EXPECT_TRUE(address) << text;
  return address && address->is_local;
}

TEST(Address, LoopbackAndUnixSocketsAreLocal) {
  EXPECT_TRUE(is_local("127.0.0.1:9465"));
  EXPECT_TRUE(is_local("127.1.2.3:0"));
  EXPECT_TRUE(is_local("[::1]:9465"));
  EXPECT_TRUE(is_local("localhost:9465"));
  EXPECT_TRUE(is_local("unix:/run/x.sock"));
  EXPECT_FALSE(is_local("0.0.0.0:9465"));
  EXPECT_FALSE(is_local("[::]:9465"));
  EXPECT_FALSE(is_local("10.0.0.1:9465"));
  EXPECT_FALSE(is_local("[::ffff:10.0.0.1]:1"));
}

TEST(Address, WhatIsNoneSaysWhatWouldBe) {
  for (const std::string text : {"127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1",
                                 "::1:80", "unix:", "unix:relative", "127.0.0.1:80x", ":9465", "a.name.example:9465"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, ErrorCode::bad_config) << text;
    EXPECT_THAT(address.error().text, HasSubstr("write host:port"));
  }
  EXPECT_FALSE(parse_address("unix:/" + std::string(200, 'a'))) << "longer than sockaddr_un takes";
  EXPECT_TRUE(parse_address("unix:/" + std::string(106, 'a')));
}

}  // namespace
}  // namespace slosonde::exporter
