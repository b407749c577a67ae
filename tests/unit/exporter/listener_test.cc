#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "exporter/web/address.h"
#include "exporter/web/server.h"
#include "exporter/web/socket.h"
#include "tests/unit/exporter/fixture.h"

namespace slosonde::exporter {
namespace {

using testing::HasSubstr;

class ListenerTest : public ServerTest {
 protected:
  // The error of a second server with these options.
  Error error_of(const WebOptions& other) {
    WebServer second(other, {inbox, [] { return sample::kNow; }, [] { return nullptr; }, {}, {}, {}});
    const auto started = second.start();
    return started ? Error() : started.error();
  }
};

TEST_F(ListenerTest, APortInUseIsAnErrorWithTheAddress) {
  start();
  WebOptions other = options;
  other.listen = at();
  const Error error = error_of(other);
  EXPECT_EQ(error.code, ErrorCode::busy);
  EXPECT_THAT(error.text, HasSubstr("listen address " + at() + " is in use"));
  EXPECT_EQ(get("/-/healthy").status, 200);
}

TEST_F(ListenerTest, AFailedStartLeavesNothingBehind) {
  start();
  WebOptions other = options;
  other.listen = "unix:" + socket_path("other.sock");
  other.admin = at();
  EXPECT_EQ(error_of(other).code, ErrorCode::busy);
  EXPECT_FALSE(std::filesystem::exists(socket_path("other.sock")));
}

TEST_F(ListenerTest, ListensOnIpv6) {
  options.listen = "[::1]:0";
  start();
  EXPECT_THAT(at(), HasSubstr("[::1]:"));
  EXPECT_EQ(get("/-/healthy").status, 200);
}

TEST_F(ListenerTest, TheEmptyIpv6AddressIsBothFamilies) {
  options.listen = "[::]:0";
  options.hooks = "127.0.0.1:0";
  start();
  const std::string port = at().substr(at().rfind(':'));
  EXPECT_EQ(ask("127.0.0.1" + port, "GET", "/-/healthy").status, 200);
  EXPECT_EQ(ask("[::1]" + port, "GET", "/-/healthy").status, 200);
}

TEST_F(ListenerTest, AUnixSocketIsForOwnerAndGroupAndGoesWithTheServer) {
  options.listen = "unix:" + socket_path("x.sock");
  start();
  EXPECT_EQ(at(), options.listen);
  struct stat status {};
  ASSERT_EQ(::stat(socket_path("x.sock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0660U);
  EXPECT_EQ(get("/-/healthy").status, 200);
  server().stop();
  EXPECT_FALSE(std::filesystem::exists(socket_path("x.sock")));
}

TEST_F(ListenerTest, AStaleSocketIsReplacedALiveOneAndAFileAreNot) {
  const std::string path = socket_path("x.sock");
  const auto address = parse_address("unix:" + path);
  const int stale = bind_socket(*address, "listen").value();
  ASSERT_EQ(::listen(stale, 1), 0);
  ::close(stale);  // as after a kill: the file stays
  ASSERT_TRUE(std::filesystem::exists(path));
  options.listen = "unix:" + path;
  start();
  EXPECT_EQ(get("/-/healthy").status, 200);

  const Error live = error_of(options);
  EXPECT_EQ(live.code, ErrorCode::busy);
  EXPECT_EQ(get("/-/healthy").status, 200);

  WebOptions other = options;
  other.listen = "unix:" + socket_path("file");
  std::ofstream(socket_path("file")) << "precious";
  EXPECT_THAT(error_of(other).text, HasSubstr("no socket"));
  EXPECT_TRUE(std::filesystem::exists(socket_path("file")));
  other.listen = "unix:" + socket_path("no/such/x.sock");
  EXPECT_THAT(error_of(other).text, HasSubstr("folder does not exist"));
}

TEST_F(ListenerTest, ASocketThatAnotherServerHasTakenOverIsNotRemoved) {
  const std::string path = socket_path("x.sock");
  options.listen = "unix:" + path;
  start();
  std::filesystem::remove(path);
  const int other = bind_socket(*parse_address("unix:" + path), "listen").value();
  server().stop();
  EXPECT_TRUE(std::filesystem::exists(path));
  ::close(other);
}

TEST_F(ListenerTest, AnAdminListenerOpenToOthersNeedsAToken) {
  start();
  WebOptions other = options;
  other.admin = "0.0.0.0:0";
  const Error error = error_of(other);
  EXPECT_EQ(error.code, ErrorCode::bad_config);
  EXPECT_THAT(error.text, HasSubstr("admin.token_file"));
  other.admin_token = Secret("t");
  EXPECT_FALSE(error_of(other));
}

TEST_F(ListenerTest, MetricsAreReadableWithoutAFreeDescriptor) {
  start();
  ASSERT_EQ(get("/-/healthy").status, 200);
  Client client(at());  // connected, perhaps not yet accepted
  Client second(at());
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_TRUE(client.ask("GET", "/-/healthy"));
  ASSERT_TRUE(second.ask("GET", "/-/healthy"));
  // Sockets of the test first: under the limit below none can be made.
  const int third = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(third, 0);
  std::vector<int> taken;
  rlimit low = limit;
  low.rlim_cur = 64;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);
  const auto address = parse_address(at());
  const int connected = ::connect(third, reinterpret_cast<const sockaddr*>(&address->socket), address->length);
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(::send(third, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::string text;
  char part[4096];
  const timeval patience{20, 0};
  ::setsockopt(third, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  for (ssize_t n = ::recv(third, part, sizeof part, 0); n > 0; n = ::recv(third, part, sizeof part, 0)) {
    text.append(part, static_cast<size_t>(n));
  }
  for (const int fd : taken) ::close(fd);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ::close(third);
  EXPECT_EQ(connected, 0);
  EXPECT_THAT(text, HasSubstr("200 OK"));
  EXPECT_THAT(text, HasSubstr("Connection: close"));
  EXPECT_THAT(text, HasSubstr("\nprocess_max_fds 64\n"));
}

TEST_F(ListenerTest, AfterAShortageOfDescriptorsItAcceptsAgain) {
  start();
  auto& hooks = server().hooks();
  ASSERT_TRUE(hooks.listening_since());
  const auto address = parse_address(at());
  const int caller = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(caller, 0);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit none = limit;
  none.rlim_cur = 0;  // not even the spare can be used: its number is too high now
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const int connected = ::connect(caller, reinterpret_cast<const sockaddr*>(&address->socket), address->length);
  const bool stopped = eventually([&] { return !hooks.listening_since(); });
  set_clock(sample::kNow + std::chrono::seconds(1));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_EQ(connected, 0);
  EXPECT_TRUE(stopped) << "it says that it takes nobody in";
  EXPECT_TRUE(eventually([&] { return hooks.listening_since() == sample::kNow + std::chrono::seconds(1); }));
  const std::string request = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(::send(caller, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  const timeval patience{20, 0};
  ::setsockopt(caller, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char answer[64] = {};
  EXPECT_GT(::recv(caller, answer, sizeof answer - 1, 0), 0) << "who called meanwhile was kept waiting, not cut";
  EXPECT_THAT(std::string(answer), HasSubstr("200 OK"));
  ::close(caller);
  EXPECT_EQ(get("/-/healthy").headers.at("connection"), "keep-alive") << "the spare is back";
  EXPECT_GE(metric("slosonde_hook_sight_breaks_total{reason=\"no_descriptors\"}"), 1);
}

}  // namespace
}  // namespace slosonde::exporter
