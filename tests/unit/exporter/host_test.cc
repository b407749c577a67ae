#include "exporter/web/host.h"

#include <gtest/gtest.h>

namespace slosonde::exporter {
namespace {

RequestHead with(std::string name, std::string value) {
  RequestHead head;
  head.headers = {{std::move(name), std::move(value)}};
  return head;
}

TEST(Host, NamesThatAPageCouldBringAreNotOurs) {
  EXPECT_TRUE(names_host_by_address(with("host", "127.0.0.1:9467")));
  EXPECT_TRUE(names_host_by_address(with("host", "[::1]:9467")));
  EXPECT_TRUE(names_host_by_address(with("host", "LOCALHOST")));
  EXPECT_FALSE(names_host_by_address(with("host", "evil.example:9467")));
  EXPECT_FALSE(names_host_by_address(with("host", "127.0.0.1.evil.example")));
  EXPECT_FALSE(names_host_by_address(with("host", "")));
}

}  // namespace
}  // namespace slosonde::exporter
