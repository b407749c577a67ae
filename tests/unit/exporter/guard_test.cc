// Users and passwords before a whole server.
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/exporter/fixture.h"

namespace slosonde::exporter {
namespace {

// "prom:U*U", and what nobody has.
constexpr const char* kRight = "Authorization: Basic cHJvbTpVKlU=\r\n";
constexpr const char* kWrong = "Authorization: Basic cHJvbTp4\r\n";
constexpr std::string_view kWrongCall =
    "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic cHJvbTp4\r\n\r\n";

class GuardTest : public ServerTest {
 protected:
  GuardTest() {
    options.listen_web.emplace();
    options.listen_web->users.push_back(
        {"prom", Secret("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")});
  }
};

TEST_F(GuardTest, ACallThatIsStoppedMidCheckIsNoHarm) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 12; ++i) {
    clients.emplace_back(at());
    ASSERT_TRUE(clients.back().send(kWrongCall));
  }
  ASSERT_TRUE(clients.front().receive());  // one was checked, so that others wait
  server().stop();
  for (size_t i = 1; i < clients.size(); ++i) clients[i].receive();
}

TEST_F(GuardTest, ACallerThatHasGoneMidCheckIsNoHarm) {
  start();
  for (int i = 0; i < 5; ++i) {
    Client gone(at());
    ASSERT_TRUE(gone.send(kWrongCall));
  }
  EXPECT_TRUE(eventually([this] { return get("/-/healthy", kRight).status == 200; }));
}

TEST_F(GuardTest, TooManyPasswordsAtOnceAreToldToComeAgain) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 60; ++i) {
    clients.emplace_back(at());
    ASSERT_TRUE(clients.back().send(kWrongCall));
  }
  int wrong = 0;
  for (Client& client : clients) {
    const Answer answer = client.receive().value_or(Answer());
    if (answer.status == 401) ++wrong;
    if (answer.status != 401) {
      EXPECT_EQ(answer.status, 503);
      EXPECT_EQ(answer.headers.at("retry-after"), "1");
    }
  }
  EXPECT_GE(wrong, 16);
}

TEST_F(GuardTest, WhatIsRefusedAfterALoginIsRefusedWithoutItToo) {
  start();
  EXPECT_EQ(get("/nothing", kWrong).status, 401);
  EXPECT_EQ(get("/nothing", kRight).status, 404);  // the first time: checked
  EXPECT_EQ(get("/nothing", kRight).status, 404);  // remembered
  EXPECT_EQ(ask(at(), "DELETE", "/metrics", kRight).status, 405);
}

}  // namespace
}  // namespace slosonde::exporter
