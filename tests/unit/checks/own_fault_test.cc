// What our own host refuses us is our own fault. The system's functions stand in here, so that they can be made to
// fail.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "checks/net/curl_transfer.h"
#include "tests/unit/checks/peer.h"
#include "tests/unit/checks/probe_run.h"

namespace {

std::atomic<int> connect_fails = 0, watching_fails = 0;  // with this errno
std::atomic<bool> adding_fails = false;

}  // namespace

extern "C" {

int connect(int descriptor, const sockaddr* to, socklen_t size) {
  if (connect_fails == 0) return static_cast<int>(syscall(SYS_connect, descriptor, to, size));
  errno = connect_fails;
  return -1;
}

int epoll_ctl(int at, int operation, int descriptor, epoll_event* wanted) noexcept {
  if (watching_fails == 0 || operation != EPOLL_CTL_ADD) {
    return static_cast<int>(syscall(SYS_epoll_ctl, at, operation, descriptor, wanted));
  }
  errno = watching_fails;
  return -1;
}

CURLMcode curl_multi_add_handle(CURLM* multi, CURL* easy) {
  using Add = CURLMcode (*)(CURLM*, CURL*);
  static const auto add = reinterpret_cast<Add>(dlsym(RTLD_NEXT, "curl_multi_add_handle"));
  return adding_fails ? CURLM_OUT_OF_MEMORY : add(multi, easy);
}

}  // extern "C"

namespace slosonde::checks {
namespace {

using testing::HasSubstr;

class OwnFault : public testing::Test {
 protected:
  void TearDown() override {
    connect_fails = watching_fails = 0;
    adding_fails = false;
  }
  OneCheck http() { return OneCheck(real, "http: {url: \"" + peer.url() + "\"}"); }
  OneCheck tcp() { return OneCheck(real, "tcp: {address: \"127.0.0.1:" + std::to_string(peer.port()) + "\"}"); }

  const Peer peer{[](const auto&) { return http_answer(200, "ok"); }};
  io::Real real;
};

TEST_F(OwnFault, NoLocalPortIsFree) {
  for (const bool over_http : {true, false}) {
    OneCheck check = over_http ? http() : tcp();
    connect_fails = EADDRNOTAVAIL;
    const CheckResult result = check.run();
    connect_fails = 0;
    EXPECT_EQ(result.outcome, Outcome::probe_fault) << result.error.text;
    EXPECT_EQ(result.error.code, ErrorCode::io_failed);
    EXPECT_THAT(result.error.text, HasSubstr("no free port to connect from"));
    EXPECT_EQ(check.run().outcome, Outcome::held);
  }
}

TEST_F(OwnFault, NoMemoryToConnect) {
  for (const bool over_http : {true, false}) {
    OneCheck check = over_http ? http() : tcp();
    connect_fails = ENOBUFS;
    const CheckResult result = check.run();
    EXPECT_EQ(result.outcome, Outcome::probe_fault) << result.error.text;
    EXPECT_EQ(result.error.code, ErrorCode::no_memory);
    connect_fails = 0;
  }
}

TEST_F(OwnFault, WhatAFirewallRefusesIsNotOurs) {
  for (const int number : {EACCES, EPERM, ENETUNREACH, EHOSTUNREACH}) {
    connect_fails = number;
    EXPECT_EQ(http().run().error.code, ErrorCode::connect_failed) << number;
    EXPECT_EQ(tcp().run().error.code, ErrorCode::connect_failed) << number;
  }
}

TEST_F(OwnFault, AConnectionThatCannotBeWatched) {
  OneCheck check = http();
  EXPECT_EQ(check.run().outcome, Outcome::held);
  watching_fails = ENOSPC;
  const CheckResult result = check.run();
  EXPECT_EQ(result.outcome, Outcome::probe_fault) << result.error.text;
  EXPECT_EQ(result.error.code, ErrorCode::io_failed);
  EXPECT_THAT(result.error.text, HasSubstr("watching the connection"));
  watching_fails = 0;
  EXPECT_EQ(check.run().outcome, Outcome::held);
}

// On a handle that was used before, libcurl's figures are those of the request before.
TEST_F(OwnFault, ARequestThatLibcurlDoesNotTake) {
  OneCheck check = http();
  EXPECT_EQ(check.run().outcome, Outcome::held);
  adding_fails = true;
  const CheckResult result = check.run();
  EXPECT_EQ(result.outcome, Outcome::probe_fault) << result.error.text;
  EXPECT_EQ(result.error.code, ErrorCode::no_memory);
  adding_fails = false;
  EXPECT_EQ(check.run().outcome, Outcome::held);
}

}  // namespace
}  // namespace slosonde::checks
