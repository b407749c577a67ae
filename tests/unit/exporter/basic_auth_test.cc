#include "exporter/web/basic_auth.h"

#include <gtest/gtest.h>

#include <future>
#include <utility>

namespace slosonde::exporter {
namespace {

// Of "U*U" with its salt: a vector of the crypt_blowfish test suite.
constexpr std::string_view kStarHash = "05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

Secret hash_of_star(std::string_view kind) {
  return Secret(std::string(kind) + std::string(kStarHash));
}

RequestHead head(const std::string& authorization) {
  RequestHead head;
  head.headers = {{"host", "localhost"}, {"authorization", authorization}};
  return head;
}

Credentials credentials(const std::string& user, const std::string& password) {
  return {user, Secret(password)};
}

class BasicAuthTest : public testing::Test {
 protected:
  BasicAuth::Verdict check(const std::string& user, const std::string& password) {
    std::promise<BasicAuth::Verdict> told;
    auto verdict = told.get_future();
    auth.check(credentials(user, password), [&told](BasicAuth::Verdict verdict) { told.set_value(verdict); });
    return verdict.get();
  }

  double count(const std::string& result) {
    for (const auto& family : registry.Collect())
      for (const auto& metric : family.metric)
        if (metric.label.at(0).value == result) return metric.counter.value;
    return -1;
  }

  prometheus::Registry registry;
  BasicAuth auth{{{"prom", hash_of_star("$2y$")},
                  {"other", Secret("$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/"
                                   "Z0DY336zx7pLYAy0lwK")}},
                 registry};
};

TEST(Bcrypt, MatchesVectorsOfEveryPrefix) {
  for (const std::string_view kind : {"$2a$", "$2b$", "$2y$"}) {
    EXPECT_TRUE(matches_bcrypt(Secret("U*U"), hash_of_star(kind))) << kind;
    EXPECT_FALSE(matches_bcrypt(Secret("U*U*"), hash_of_star(kind))) << kind;
    EXPECT_FALSE(matches_bcrypt(Secret(""), hash_of_star(kind))) << kind;
  }
  EXPECT_TRUE(matches_bcrypt(Secret(""), Secret("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy")));
  // Bytes over 127, which some libraries once got wrong.
  EXPECT_TRUE(
      matches_bcrypt(Secret("\xC2\xA3"), Secret("$2y$05$/OK.fbVrR/bpIqNJ5ianF.crQZGxQ7hWEf.fNKRjrYcudfgPvGbVK")));
  EXPECT_FALSE(matches_bcrypt(Secret("U*U"), Secret("*0")));
}

TEST(BasicCredentials, AreThoseOfOneWellFormedHeader) {
  const auto found = basic_credentials(head("Basic cHJvbTpVKlU="));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user, "prom");
  EXPECT_EQ(found->password.reveal(), "U*U");
  EXPECT_EQ(basic_credentials(head("bASIC YTpiOmM="))->password.reveal(), "b:c");
  EXPECT_TRUE(basic_credentials(head("Basic YTo="))->password.empty());
}

TEST(BasicCredentials, AreNotThoseOfAMalformedOne) {
  for (const std::string text : {"", "Basic", "Basic ", "Bearer cHJvbTpVKlU=", "Basic cHJvbTpVKlU", "Basic cHJv",
                                 "Basic ====", "Basic =HJvbTpVKlU=", "Basic cHJv\nTpVKlU="})
    EXPECT_FALSE(basic_credentials(head(text))) << text;
  EXPECT_FALSE(basic_credentials(head("Basic " + std::string(4096, 'a'))));
  RequestHead twice = head("Basic cHJvbTpVKlU=");
  twice.headers.emplace_back("authorization", "Basic cHJvbTpVKlU=");
  EXPECT_FALSE(basic_credentials(twice));
}

TEST(BasicCredentials, APasswordWithAZeroByteIsNotTheOneBeforeIt) {
  EXPECT_FALSE(basic_credentials(head("Basic cHJvbTpVKlUAeA==")));  // "prom:U*U\0x"
}

TEST_F(BasicAuthTest, KnowsRightFromWrong) {
  EXPECT_EQ(check("prom", "U*U"), BasicAuth::Verdict::right);
  EXPECT_EQ(check("prom", "U*U*"), BasicAuth::Verdict::wrong);
  EXPECT_EQ(check("other", "U*U*"), BasicAuth::Verdict::right);
  EXPECT_EQ(check("nobody", "U*U"), BasicAuth::Verdict::wrong);
  EXPECT_EQ(count("right"), 2);
  EXPECT_EQ(count("wrong"), 2);
}

TEST_F(BasicAuthTest, RemembersWhatWasRightAndOfItsUserAlone) {
  EXPECT_FALSE(auth.remembers(credentials("prom", "U*U")));
  EXPECT_EQ(check("prom", "U*U"), BasicAuth::Verdict::right);
  EXPECT_EQ(check("prom", "wrong"), BasicAuth::Verdict::wrong);
  EXPECT_TRUE(auth.remembers(credentials("prom", "U*U")));
  EXPECT_FALSE(auth.remembers(credentials("prom", "wrong")));
  EXPECT_FALSE(auth.remembers(credentials("other", "U*U")));
}

TEST_F(BasicAuthTest, WhatIsTooMuchIsDroppedAndCounted) {
  std::promise<void> held, release;
  auth.check(credentials("prom", "first"), [&](BasicAuth::Verdict) {
    held.set_value();
    release.get_future().wait();
  });
  held.get_future().wait();
  int dropped = 0;
  for (int i = 0; i < 20; ++i)
    auth.check(credentials("prom", std::to_string(i)), [&dropped](BasicAuth::Verdict verdict) {
      if (verdict == BasicAuth::Verdict::too_many) ++dropped;  // said at once, on this thread
    });
  EXPECT_EQ(dropped, 4);
  EXPECT_EQ(count("dropped"), 4);
  release.set_value();
  auth.stop();  // those that wait are forgotten
  EXPECT_EQ(dropped, 4);
}

}  // namespace
}  // namespace slosonde::exporter
