#include "exporter/web/auth.h"

#include <gtest/gtest.h>

namespace slosonde::exporter {
namespace {

RequestHead with(std::string name, std::string value) {
  RequestHead head;
  head.headers = {{std::move(name), std::move(value)}};
  return head;
}

TEST(Auth, BearerTokens) {
  const Secret token("s3cret");
  EXPECT_TRUE(bears_token(with("authorization", "Bearer s3cret"), token));
  EXPECT_TRUE(bears_token(with("authorization", "bearer s3cret"), token));
  EXPECT_FALSE(bears_token(with("authorization", "Bearer s3cre"), token));
  EXPECT_FALSE(bears_token(with("authorization", "Bearer s3cret2"), token));
  EXPECT_FALSE(bears_token(with("authorization", "Bearer "), token));
  EXPECT_FALSE(bears_token(with("authorization", "Basic s3cret"), token));
  EXPECT_FALSE(bears_token({}, token));
  EXPECT_FALSE(bears_token(with("authorization", "Bearer "), Secret()));
}

// RFC 4231, test case 2: key "Jefe".
TEST(Auth, SignaturesOfTheBody) {
  const Secret key("Jefe");
  const std::string body = "what do ya want for nothing?";
  const std::string right = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  EXPECT_TRUE(is_signed(with("x-slosonde-signature", right), body, key));
  EXPECT_TRUE(is_signed(with("x-hub-signature-256", right), body, key));
  EXPECT_FALSE(is_signed(with("x-slosonde-signature", right), body + "!", key));
  EXPECT_FALSE(is_signed(with("x-slosonde-signature", right.substr(7)), body, key));
  EXPECT_FALSE(is_signed(with("x-slosonde-signature", ""), body, key));
  EXPECT_FALSE(is_signed({}, body, key));
  EXPECT_FALSE(is_signed(with("x-slosonde-signature", right), body, Secret()));
}

TEST(Auth, HostNamesThatAPageCouldBringAreNotOurs) {
  EXPECT_TRUE(names_host_by_address(with("host", "127.0.0.1:9467")));
  EXPECT_TRUE(names_host_by_address(with("host", "[::1]:9467")));
  EXPECT_TRUE(names_host_by_address(with("host", "LOCALHOST")));
  EXPECT_FALSE(names_host_by_address(with("host", "evil.example:9467")));
  EXPECT_FALSE(names_host_by_address(with("host", "127.0.0.1.evil.example")));
  EXPECT_FALSE(names_host_by_address(with("host", "")));
}

}  // namespace
}  // namespace slosonde::exporter
