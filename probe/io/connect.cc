#include "probe/io/connect.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "probe/io/arrival.h"
#include "probe/io/connect_error.h"
#include "probe/io/watchdog.h"

namespace slosonde::io {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// What a failed operation means: our deadline, the caller's cancellation, our own fault, or `otherwise`.
Error failure(const error_code& problem, bool expired, ErrorCode late, ErrorCode otherwise, const std::string& what) {
  if (expired) return {late, what + ": no answer before the deadline"};
  if (problem == asio::error::operation_aborted) return {ErrorCode::cancelled, what + ": cancelled"};
  if (problem.category() == boost::system::system_category()) {
    Error error = error_from_errno(problem.value(), what);
    if (!is_own_fault(error.code) || error.code == ErrorCode::io_failed) error.code = otherwise;
    return error;
  }
  return {otherwise, what + ": " + problem.message()};
}

Error connect_failure(const error_code& problem, bool expired, const std::string& what) {
  const bool is_errno = problem.category() == boost::system::system_category();
  if (!expired && is_errno && problem != asio::error::operation_aborted) return connect_error(problem.value(), what);
  return failure(problem, expired, ErrorCode::connect_timeout, ErrorCode::connect_failed, what);
}

struct Took {
  Duration connect{};
  Duration tls{};
};

// Lowest is the TCP socket itself, Channel what bytes go through: the socket, or TLS over it.
template <class Channel>
class SocketStream final : public Stream {
 public:
  SocketStream(Channel channel, std::shared_ptr<asio::ssl::context> context, Duration offset, std::string where)
      : context_(std::move(context)), channel_(std::move(channel)), offset_(offset), where_(std::move(where)) {}

  asio::awaitable<Result<void>> write(std::string_view bytes, Instant deadline) override {
    Watchdog watchdog(channel_.get_executor(), boot_time(deadline, offset_), [this] { lowest().cancel(); });
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    auto [problem, written] = co_await asio::async_write(channel_, buffer, kTuple);
    if (!problem) co_return Result<void>();
    co_return fail(failure(problem, watchdog.expired(), ErrorCode::timeout, ErrorCode::send_failed,
                           where_ + ": sending broke off after " + std::to_string(written) + " bytes"));
  }

  asio::awaitable<Result<size_t>> read(std::span<char> space, Instant deadline) override {
    Watchdog watchdog(channel_.get_executor(), boot_time(deadline, offset_), [this] { lowest().cancel(); });
    const auto buffer = asio::buffer(space.data(), space.size());
    auto [problem, read] = co_await channel_.async_read_some(buffer, kTuple);
    // Only who comes after the deadline has to know whether the bytes did, too.
    const bool late = BootClock::now() > boot_time(deadline, offset_);
    waited_ = late ? since_last_arrival(lowest().native_handle()) : Duration(0);
    if (!problem) co_return read;
    // Many a peer closes without TLS's own goodbye.
    if (problem == asio::error::eof || problem == asio::ssl::error::stream_truncated) co_return size_t{0};
    co_return fail(
        failure(problem, watchdog.expired(), ErrorCode::timeout, ErrorCode::connection_lost, where_ + ": receiving"));
  }

  std::optional<Instant> certificate_expiry() const override {
    if constexpr (kTls) return peer_certificate_expiry(const_cast<Channel&>(channel_).native_handle());
    return std::nullopt;
  }
  Duration connect_took() const override { return took_.connect; }
  Duration tls_took() const override { return took_.tls; }
  Duration waited() const override { return waited_; }

  Channel& channel() { return channel_; }
  void set_took(Took took) { took_ = took; }

 private:
  static constexpr bool kTls = !std::is_same_v<Channel, tcp::socket>;

  auto& lowest() { return channel_.lowest_layer(); }

  std::shared_ptr<asio::ssl::context> context_;  // must outlive the channel
  Channel channel_;
  Duration offset_;
  std::string where_;
  Took took_;
  Duration waited_{};
};

using TlsChannel = asio::ssl::stream<tcp::socket>;

asio::awaitable<Result<void>> open(tcp::socket& socket, tcp::endpoint endpoint, BootClock::time_point deadline,
                                   const std::string& where) {
  error_code problem;
  socket.open(endpoint.protocol(), problem);
  if (problem) co_return fail(error_from_errno(problem.value(), "a socket for " + where));
  Watchdog watchdog(socket.get_executor(), deadline, [&socket] { socket.cancel(); });
  auto [refused] = co_await socket.async_connect(endpoint, kTuple);
  if (refused) co_return fail(connect_failure(refused, watchdog.expired(), "connecting to " + where));
  socket.set_option(tcp::no_delay(true), problem);  // without it nothing worse than a delay
  co_return Result<void>();
}

asio::awaitable<Result<void>> shake_hands(TlsChannel& channel, BootClock::time_point deadline,
                                          const std::string& where) {
  Watchdog watchdog(channel.get_executor(), deadline, [&channel] { channel.lowest_layer().cancel(); });
  auto [problem] = co_await channel.async_handshake(asio::ssl::stream_base::client, kTuple);
  if (!problem) co_return Result<void>();
  if (watchdog.expired()) {
    co_return fail(ErrorCode::timeout, "connected to " + where + ", but the TLS handshake was not over in time");
  }
  if (problem == asio::error::operation_aborted) co_return fail(ErrorCode::cancelled, "cancelled while in TLS");
  co_return fail(handshake_error(channel.native_handle(), where, problem.message()));
}

std::string place(const Address& address, uint16_t port) {
  return (address.v6 ? "[" + address.text + "]" : address.text) + ":" + std::to_string(port);
}

}  // namespace

asio::awaitable<Result<std::unique_ptr<Stream>>> connect_stream(ConnectContext context, Address address, uint16_t port,
                                                                const TlsSettings* tls, Instant deadline) {
  const std::string where = place(address, port);
  error_code bad;
  const auto number = asio::ip::make_address(address.text, bad);
  if (bad)
    co_return fail(ErrorCode::internal, "\"" + address.text + "\" is no numeric address; resolve the name first");
  const auto until = boot_time(deadline, context.offset);
  const tcp::endpoint endpoint(number, port);

  std::shared_ptr<asio::ssl::context> made;
  if (tls) {
    auto got = context.contexts->get(*tls);
    if (!got) co_return fail(got.error());
    made = std::move(*got);
  }
  const auto begun = BootClock::now();
  tcp::socket socket(context.executor);
  auto opened = co_await open(socket, endpoint, until, where);
  if (!opened) co_return fail(opened.error());
  const auto connected = BootClock::now();
  if (!tls) {
    auto plain = std::make_unique<SocketStream<tcp::socket>>(std::move(socket), nullptr, context.offset, where);
    plain->set_took({connected - begun, Duration(0)});
    std::unique_ptr<Stream> stream = std::move(plain);
    co_return stream;
  }
  auto secure =
      std::make_unique<SocketStream<TlsChannel>>(TlsChannel(std::move(socket), *made), made, context.offset, where);
  const std::string peer = tls->server_name.empty() ? address.text : tls->server_name;
  const auto asked = expect_peer(secure->channel().native_handle(), peer, tls->verify);
  if (!asked) co_return fail(asked.error());
  const std::string named = peer == address.text ? where : where + " (as " + peer + ")";
  TlsChannel& channel = secure->channel();
  auto shaken = co_await shake_hands(channel, until, named);
  if (!shaken) co_return fail(shaken.error());
  secure->set_took({connected - begun, BootClock::now() - connected});
  std::unique_ptr<Stream> stream = std::move(secure);
  co_return stream;
}

}  // namespace slosonde::io
