#include "demo/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <utility>

namespace slosonde::demo {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Parser = http::request_parser<http::string_body>;

constexpr int kMaxConnections = 256;
constexpr size_t kMaxBody = 64 * 1024;
constexpr size_t kMaxHeader = 8 * 1024;
constexpr auto kPatience = std::chrono::seconds(15);
constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

// One connection's socket, and the deadline that closes it.
struct Connection {
  explicit Connection(Tcp::socket s) : socket(std::move(s)), timer(socket.get_executor()) {}
  Tcp::socket socket;
  asio::steady_timer timer;
  boost::beast::flat_buffer buffer{kMaxHeader + kMaxBody};

  void extend_deadline() {
    timer.expires_after(kPatience);
    timer.async_wait([this](boost::system::error_code error) {
      boost::system::error_code ignored;
      if (!error) socket.close(ignored);
    });
  }
};

// Feeds the parser until the request is complete; the error says why it is not.
asio::awaitable<boost::system::error_code> read_request(Connection& connection, Parser& parser) {
  boost::system::error_code error;
  for (;;) {
    while (connection.buffer.size() > 0 && !parser.is_done()) {
      const size_t used = parser.put(connection.buffer.data(), error);
      connection.buffer.consume(used);
      if (error == http::error::need_more) {
        error = {};
        break;
      }
      if (error) co_return error;
    }
    if (parser.is_done()) co_return error;
    const auto room =
        connection.buffer.prepare(std::min<size_t>(4096, connection.buffer.max_size() - connection.buffer.size()));
    auto [failed, count] = co_await connection.socket.async_read_some(room, kToken);
    if (failed) co_return failed;
    connection.buffer.commit(count);
  }
}

std::string serialised(const HttpResponse& response, bool keep_alive) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  return "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason) +
         "\r\nContent-Type: " + response.type + "\r\nContent-Length: " + std::to_string(response.body.size()) +
         (keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n") + response.body;
}

HttpResponse refusal(boost::system::error_code error) {
  if (error == http::error::body_limit) return problem(413, "the body is over 64 KiB");
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return problem(431, "the header is over 8 KiB");
  }
  return problem(400, "not HTTP: " + error.message());
}

}  // namespace

HttpResponse problem(int status, const std::string& what) {
  return {status, boost::json::serialize(boost::json::object{{"error", what}}) + "\n"};
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& io, const std::string& address,
                                                       Handler handler) {
  const size_t colon = address.rfind(':');
  unsigned long port = 65536;
  if (colon != std::string::npos && colon + 1 < address.size() && address.size() - colon <= 6 &&
      address.find_first_not_of("0123456789", colon + 1) == std::string::npos) {
    port = std::stoul(address.substr(colon + 1));
  }
  boost::system::error_code error;
  const auto host = asio::ip::make_address(address.substr(0, colon == std::string::npos ? 0 : colon), error);
  if (error || port > 65535) {
    return fail(ErrorCode::bad_config, "'" + address + "' is no address to listen on; write 127.0.0.1:8080");
  }
  Tcp::acceptor acceptor(io);
  const Tcp::endpoint endpoint(host, static_cast<uint16_t>(port));
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(ErrorCode::io_failed, "cannot listen on " + address + ": " + error.message());
  return std::unique_ptr<HttpServer>(new HttpServer(io, std::move(acceptor), std::move(handler)));
}

HttpServer::HttpServer(asio::io_context& io, Tcp::acceptor acceptor, Handler handler)
    : io_(io), acceptor_(std::move(acceptor)), handler_(std::move(handler)) {
  asio::co_spawn(io_, accept(), asio::detached);
}

std::string HttpServer::address() const {
  boost::system::error_code error;
  const Tcp::endpoint endpoint = acceptor_.local_endpoint(error);
  return endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

asio::awaitable<void> HttpServer::accept() {
  asio::steady_timer pause(io_);
  for (;;) {
    auto [error, socket] = co_await acceptor_.async_accept(kToken);
    if (error) {
      // Out of descriptors, for one: the next accept would fail at once and spin.
      pause.expires_after(std::chrono::milliseconds(50));
      auto [ended] = co_await pause.async_wait(kToken);
      if (ended) co_return;
      continue;
    }
    if (open_ >= kMaxConnections) {
      ++turned_away_;
      continue;
    }
    asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> HttpServer::serve(Tcp::socket socket) {
  ++open_;
  Connection connection(std::move(socket));
  bool keep_alive = true;
  while (keep_alive) {
    Parser parser;
    parser.body_limit(kMaxBody);
    parser.header_limit(kMaxHeader);
    parser.eager(true);
    connection.extend_deadline();
    auto error = co_await read_request(connection, parser);
    HttpResponse response;
    if (!error) {
      auto& message = parser.get();
      const HttpRequest request{message.method_string(), message.target(), std::move(message.body())};
      keep_alive = message.keep_alive();
      response = handler_(request);
    } else if (error.category() == http::make_error_code(http::error::end_of_stream).category()) {
      keep_alive = false;
      response = refusal(error);
    } else {
      break;  // the peer went away, or was too slow
    }
    const std::string text = serialised(response, keep_alive);
    const auto bytes = asio::buffer(text);
    auto [failed, count] = co_await asio::async_write(connection.socket, bytes, kToken);
    if (failed || count == 0) break;
  }
  --open_;
}

}  // namespace slosonde::demo
