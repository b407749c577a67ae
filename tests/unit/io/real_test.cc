#include "probe/io/real.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <csignal>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "probe/io/readiness.h"
#include "tests/unit/io/turning.h"

namespace slosonde::io {
namespace {

using testing::HasSubstr;

// Listens on a free loopback port.
struct Listener {
  Listener() : descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(descriptor, 8) != 0) std::abort();
    getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~Listener() { stop(); }
  void stop() {
    if (descriptor >= 0) close(descriptor);
    descriptor = -1;
  }
  int descriptor;
  uint16_t port = 0;
};

Awaitable<Result<std::string>> talk(Real& real, uint16_t port, const TlsSettings* tls, std::string say) {
  const Instant deadline = real.now() + kPatience;
  const Address loopback{"127.0.0.1", false};
  auto stream = co_await real.connect(loopback, port, tls, deadline);
  if (!stream) co_return fail(stream.error());
  auto sent = co_await (*stream)->write(say, deadline);
  if (!sent) co_return fail(sent.error());
  std::string heard;
  std::array<char, 8> space{};
  while (true) {
    auto got = co_await (*stream)->read(space, deadline);
    if (!got) co_return fail(got.error());
    if (*got == 0) co_return heard;
    heard.append(space.data(), *got);
  }
}

TEST(Real, ClockReadsLikeUnixTimeAndGoesForward) {
  Real real;
  const auto wall = std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
  const Instant before = real.now();
  EXPECT_LT(std::chrono::abs(before.time_since_epoch() - wall), std::chrono::seconds(5));
  EXPECT_LE(before, real.now());
  EXPECT_LT(std::chrono::abs(real.wall_offset()), std::chrono::seconds(5));
}

TEST(Real, RandomNumbersDiffer) {
  Real real;
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(real.random());
  EXPECT_EQ(seen.size(), 1000u);
}

Awaitable<bool> sleep(Real& real, Instant until) {
  co_await real.sleep_until(until);
  co_return real.now() >= until;
}

TEST(Real, SleepsUntilTheInstantAndNotBeyondCancellation) {
  Real real;
  EXPECT_TRUE(finish(real, sleep(real, real.now() + std::chrono::milliseconds(2))));
  EXPECT_TRUE(finish(real, sleep(real, Instant{})));  // long past
  EXPECT_EQ(start_and_cancel(real, sleep(real, kNever)), false);
}

TEST(Real, TalksTcp) {
  Listener listener;
  std::jthread peer([&] {
    const int connection = accept(listener.descriptor, nullptr, nullptr);
    std::array<char, 5> got{};
    if (recv(connection, got.data(), got.size(), MSG_WAITALL) == 5) send(connection, "a longer answer", 15, 0);
    close(connection);
  });
  Real real;
  const auto heard = finish(real, talk(real, listener.port, nullptr, "hello"));
  ASSERT_TRUE(heard) << heard.error().text;
  EXPECT_EQ(*heard, "a longer answer");
}

TEST(Real, ConnectionRefused) {
  Listener listener;
  listener.stop();
  Real real;
  const auto heard = finish(real, talk(real, listener.port, nullptr, "x"));
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, ErrorCode::connect_refused);
  EXPECT_THAT(heard.error().text, HasSubstr("127.0.0.1:" + std::to_string(listener.port)));
}

Awaitable<Result<void>> shake_hands(Real& real, uint16_t port, const TlsSettings* tls) {
  const Instant deadline = real.now() + std::chrono::milliseconds(50);
  const Address loopback{"127.0.0.1", false};
  auto stream = co_await real.connect(loopback, port, tls, deadline);
  if (!stream) co_return fail(stream.error());
  co_return Result<void>();
}

TEST(Real, AHandshakeThatHangsEndsAtTheDeadline) {
  const Listener listener;  // takes connections, says nothing
  Real real;
  TlsSettings tls;
  tls.verify = false;
  const auto shaken = finish(real, shake_hands(real, listener.port, &tls));
  ASSERT_FALSE(shaken);
  EXPECT_EQ(shaken.error().code, ErrorCode::timeout) << shaken.error().text;
  EXPECT_THAT(shaken.error().text, HasSubstr("TLS handshake"));
}

TEST(Real, ACaFileThatIsNotThereIsNamed) {
  const Listener listener;
  Real real;
  TlsSettings tls;
  tls.ca_file = "/nowhere/ca.pem";
  const auto shaken = finish(real, shake_hands(real, listener.port, &tls));
  ASSERT_FALSE(shaken);
  EXPECT_TRUE(is_own_fault(shaken.error().code));
  EXPECT_THAT(shaken.error().text, HasSubstr("/nowhere/ca.pem"));
}

TEST(Real, AConnectionIsCancelled) {
  const Listener listener;
  Real real;
  TlsSettings tls;
  tls.verify = false;
  const auto ended = start_and_cancel(real, talk(real, listener.port, &tls, "x"));
  ASSERT_TRUE(ended);
  ASSERT_FALSE(*ended);
  EXPECT_EQ(ended->error().code, ErrorCode::cancelled);
}

Awaitable<Result<void>> readable(Real& real, int descriptor, Duration patience) {
  const Instant deadline = patience == Duration::max() ? kNever : real.now() + patience;
  auto ready = co_await real.readable(descriptor, deadline);
  co_return ready;
}

TEST(Real, WaitsForADescriptorAndLeavesItToItsOwner) {
  Real real;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const auto late = finish(real, readable(real, ends[0], std::chrono::milliseconds(1)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::timeout);
  const auto cancelled = start_and_cancel(real, readable(real, ends[0], Duration::max()));
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->error().code, ErrorCode::cancelled);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_TRUE(finish(real, readable(real, ends[0], kPatience)));
  char got = 0;
  EXPECT_EQ(read(ends[0], &got, 1), 1);
  close(ends[0]);
  close(ends[1]);
}

Awaitable<Result<void>> wait(Readiness& readiness) {
  auto ready = co_await readiness.wait();
  co_return ready;
}

TEST(Real, WaitsForOneDescriptorAgainAndAgain) {
  Real real;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  {
    Readiness readiness(real.executor(), ends[0]);
    for (int i = 0; i < 3; ++i) {
      const auto cancelled = start_and_cancel(real, wait(readiness));
      ASSERT_TRUE(cancelled);
      EXPECT_EQ(cancelled->error().code, ErrorCode::cancelled);
      ASSERT_EQ(write(ends[1], "xy", 2), 2);
      char got = 0;
      EXPECT_TRUE(finish(real, wait(readiness)));
      EXPECT_EQ(read(ends[0], &got, 1), 1);
      EXPECT_TRUE(finish(real, wait(readiness)));  // what is left counts too
      EXPECT_EQ(read(ends[0], &got, 1), 1);
    }
  }
  EXPECT_EQ(write(ends[1], "x", 1), 1);  // the descriptors are still ours
  char got = 0;
  EXPECT_EQ(read(ends[0], &got, 1), 1);
  close(ends[0]);
  close(ends[1]);
}

TEST(Real, OutOfDescriptorsIsOurOwnFault) {
  Listener listener;
  Real real;
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const auto heard = finish(real, talk(real, listener.port, nullptr, "x"));
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, ErrorCode::no_descriptors) << heard.error().text;
}

TEST(Real, TakesTasksFromOtherThreads) {
  Real real;
  std::thread::id where;
  std::jthread other([&] {
    real.inbox().post(1, [&] {
      where = std::this_thread::get_id();
      real.stop();
    });
  });
  real.run();
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(Real, GoesOnAfterAnExceptionAndSaysSo) {
  Real real;
  std::vector<std::string> caught;
  real.on_exception([&](std::string_view what) { caught.emplace_back(what); });
  boost::asio::post(real.executor(), [] { throw std::bad_alloc(); });
  boost::asio::post(real.executor(), [] { throw 7; });
  real.inbox().post(1, [] { throw std::runtime_error("in the inbox"); });
  bool later = false;
  real.inbox().post(1, [&] {
    later = true;
    // Once more, so that the inbox is seen to be watched still.
    real.inbox().post(1, [&] { real.stop(); });
  });
  real.run();
  EXPECT_TRUE(later);
  EXPECT_THAT(caught,
              testing::UnorderedElementsAre("std::bad_alloc", "something that is no std::exception", "in the inbox"));
}

TEST(Real, HandsSignalsToTheLoop) {
  Real real;
  int got = 0;
  real.on_signals({SIGUSR1}, [&](int number) {
    got = number;
    real.stop();
  });
  raise(SIGUSR1);
  real.run();
  EXPECT_EQ(got, SIGUSR1);
}

TEST(Real, SharesAHandleWhileItIsUsed) {
  Real real;
  int made = 0;
  const auto make = [&] {
    ++made;
    return std::make_shared<int>(made);
  };
  auto first = real.shared<int>("test a", make);
  EXPECT_EQ(real.shared<int>("test a", make), first);
  EXPECT_NE(real.shared<int>("test b", make), first);
  first.reset();
  EXPECT_EQ(*real.shared<int>("test a", make), 3);
}

}  // namespace
}  // namespace slosonde::io
