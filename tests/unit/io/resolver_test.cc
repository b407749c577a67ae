#include "probe/io/resolver.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <thread>

#include "tests/unit/io/turning.h"

namespace slosonde::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A name server on loopback: answers A questions for names beginning with "good" with 192.0.2.7 (AAAA: none), says
// "no such name" to those beginning with "bad", and never answers the others; but for the root it may refuse to.
class NameServer {
 public:
  enum class Root : uint8_t { silent, refused };
  explicit NameServer(Root root = Root::silent)
      : descriptor_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), root_(root) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    shutdown(descriptor_, SHUT_RDWR);
    const int self = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    sendto(self, "", 0, 0, reinterpret_cast<sockaddr*>(&address), sizeof address);
    close(self);
    thread_.join();
    close(descriptor_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  RealOptions options() const {
    RealOptions made;
    made.dns_servers = {address()};
    return made;
  }

 private:
  void serve() {
    std::array<char, 512> packet{};
    while (true) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const auto got =
          recvfrom(descriptor_, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 17) return;
      std::string answer(packet.data(), static_cast<size_t>(got));
      const std::string_view name = std::string_view(answer).substr(13);
      const bool is_a = answer[answer.size() - 3] == 1;
      answer[2] = static_cast<char>(0x81);
      answer[3] = static_cast<char>(0x80);
      if (answer[12] == 0 && root_ == Root::refused) {
        answer[3] = static_cast<char>(0x85);
      } else if (name.starts_with("bad")) {
        answer[3] = static_cast<char>(0x83);
      } else if (!name.starts_with("good")) {
        continue;
      } else if (is_a) {
        answer[7] = 1;
        answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\0\0\4\xc0\0\2\7", 16);
      }
      sendto(descriptor_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  int descriptor_;
  Root root_;
  uint16_t port_ = 0;
  std::thread thread_;
};

using Names = std::vector<std::string>;

Awaitable<Result<Names>> resolve(Real& real, std::string host, IpFamily family, Duration patience) {
  const Instant deadline = real.now() + patience;
  auto found = co_await real.resolve(host, family, deadline);
  if (!found) co_return fail(found.error());
  Names names;
  for (const Address& address : *found) names.push_back(address.text);
  co_return names;
}

TEST(Resolver, NumbersNeedNoServer) {
  Real real;
  EXPECT_THAT(finish(real, resolve(real, "192.0.2.1", IpFamily::any, kPatience)).value(), ElementsAre("192.0.2.1"));
  EXPECT_THAT(finish(real, resolve(real, "2001:DB8::0001", IpFamily::v6, kPatience)).value(),
              ElementsAre("2001:db8::1"));
  const auto other = finish(real, resolve(real, "192.0.2.1", IpFamily::v6, kPatience));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::resolve_failed);
}

TEST(Resolver, LocalhostNeedsNoServer) {
  const NameServer server;
  Real real(server.options());
  EXPECT_THAT(finish(real, resolve(real, "localhost", IpFamily::v4, kPatience)).value(), ElementsAre("127.0.0.1"));
}

TEST(Resolver, AsksTheNameServer) {
  const NameServer server;
  Real real(server.options());
  EXPECT_THAT(finish(real, resolve(real, "good.example", IpFamily::v4, kPatience)).value(), ElementsAre("192.0.2.7"));
  EXPECT_THAT(finish(real, resolve(real, "good.example", IpFamily::any, kPatience)).value(), ElementsAre("192.0.2.7"));
}

TEST(Resolver, SaysWhyANameHasNoAddress) {
  const NameServer server;
  Real real(server.options());
  const auto bad = finish(real, resolve(real, "bad.example", IpFamily::v4, kPatience));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::resolve_failed);
  EXPECT_THAT(bad.error().text, HasSubstr("\"bad.example\" does not exist"));
  const auto only_v4 = finish(real, resolve(real, "good.example", IpFamily::v6, kPatience));
  ASSERT_FALSE(only_v4);
  EXPECT_EQ(only_v4.error().code, ErrorCode::resolve_failed);
  EXPECT_THAT(only_v4.error().text, HasSubstr("no IPv6 address"));
}

TEST(Resolver, ASilentServerCostsNoMoreThanTheDeadline) {
  const NameServer server;
  Real real(server.options());
  const auto late = finish(real, resolve(real, "silent.example", IpFamily::any, std::chrono::milliseconds(20)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::resolve_timeout);
}

// Long enough for the servers to be asked whether they live.
constexpr Duration kForATrial = std::chrono::milliseconds(1200);

TEST(Resolver, AServerThatIsSilentToAllIsOurOwnFault) {
  const NameServer server;
  Real real(server.options());
  const auto found = finish(real, resolve(real, "silent.example", IpFamily::v4, kForATrial));
  ASSERT_FALSE(found);
  EXPECT_TRUE(is_own_fault(found.error().code)) << name(found.error().code);
  EXPECT_THAT(found.error().text, HasSubstr("our name servers answer nothing at all"));
}

TEST(Resolver, AServerThatLivesAndIsSilentToThisIsNot) {
  const NameServer server(NameServer::Root::refused);
  Real real(server.options());
  const auto found = finish(real, resolve(real, "silent.example", IpFamily::v4, kForATrial));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::resolve_timeout) << found.error().text;
}

TEST(Resolver, OneThatLivesIsEnough) {
  const NameServer dead, living(NameServer::Root::refused);
  RealOptions options;
  options.dns_servers = {dead.address(), living.address()};
  Real real(options);
  const auto found = finish(real, resolve(real, "silent.example", IpFamily::v4, kForATrial));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::resolve_timeout) << found.error().text;
}

TEST(Resolver, LookupsThatHangOrWereCancelledDoNotHoldTheNext) {
  const NameServer server;
  Real real(server.options());
  for (int i = 0; i < 20; ++i) {
    const auto cancelled = start_and_cancel(real, resolve(real, "silent.example", IpFamily::any, kPatience));
    ASSERT_TRUE(cancelled);
    EXPECT_EQ(cancelled->error().code, ErrorCode::cancelled);
  }
  // Well before c-ares gives the silent ones up (after seconds).
  const auto found = finish(real, resolve(real, "good.example", IpFamily::v4, std::chrono::milliseconds(900)));
  EXPECT_TRUE(found) << found.error().text;
}

TEST(Resolver, NothingListensWhereTheServerShouldBe) {
  RealOptions options;
  {
    const NameServer gone;
    options = gone.options();
  }
  Real real(options);
  const auto found = finish(real, resolve(real, "good.example", IpFamily::v4, kPatience));
  ASSERT_FALSE(found);
  EXPECT_TRUE(is_own_fault(found.error().code)) << name(found.error().code);
  EXPECT_THAT(found.error().text, HasSubstr("nothing listens"));
}

TEST(Resolver, OutOfDescriptorsIsOurOwnFault) {
  const NameServer server;
  Real real(server.options());
  ASSERT_TRUE(finish(real, resolve(real, "good.example", IpFamily::v4, kPatience)));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  close(next);
  // c-ares opens the hosts file first, and does without it when it cannot.
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const auto found = finish(real, resolve(real, "good2.example", IpFamily::v4, kPatience));
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::no_descriptors) << found.error().text;
}

}  // namespace
}  // namespace slosonde::io
