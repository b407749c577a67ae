#include "demo/http_client.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <memory>

namespace slosonde::demo {

namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kScheme = "http://";

// "HTTP/1.1 204 No Content" → 204
Result<int> status_of(std::string_view answer) {
  int status = 0;
  const size_t blank = answer.find(' ');
  if (answer.starts_with("HTTP/1.") && blank != std::string_view::npos && answer.size() >= blank + 4) {
    std::from_chars(answer.data() + blank + 1, answer.data() + blank + 4, status);
  }
  if (status < 100) return fail(ErrorCode::malformed, "the answer is not HTTP");
  return status;
}

std::string request_text(const HttpTarget& target, const Secret& bearer_token, const std::string& json) {
  std::string text =
      "POST " + target.path + " HTTP/1.1\r\nHost: " + target.host + ":" + target.port +
      "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " + std::to_string(json.size()) +
      "\r\n";
  if (!bearer_token.empty()) text.append("Authorization: Bearer ").append(bearer_token.reveal()).append("\r\n");
  return text + "\r\n" + json;
}

// What the deadline must end, kept until its timer has run.
struct Exchange {
  explicit Exchange(const asio::any_io_executor& executor) : resolver(executor), socket(executor), timer(executor) {}
  Tcp::resolver resolver;
  Tcp::socket socket;
  asio::steady_timer timer;
};

void set_deadline(const std::shared_ptr<Exchange>& exchange, Duration patience) {
  exchange->timer.expires_after(patience);
  exchange->timer.async_wait([exchange](boost::system::error_code error) {
    if (error) return;
    boost::system::error_code ignored;
    exchange->resolver.cancel();
    exchange->socket.close(ignored);
  });
}

asio::awaitable<Result<int>> converse(Exchange& exchange, const HttpTarget& target, const std::string& text) {
  auto [unresolved, endpoints] = co_await exchange.resolver.async_resolve(target.host, target.port, kToken);
  if (unresolved) co_return fail(ErrorCode::resolve_failed, target.host + ": " + unresolved.message());
  auto [unconnected, endpoint] = co_await asio::async_connect(exchange.socket, endpoints, kToken);
  if (unconnected)
    co_return fail(ErrorCode::connect_failed, target.host + ":" + target.port + ": " + unconnected.message());
  const auto bytes = asio::buffer(text);
  auto [unsent, sent] = co_await asio::async_write(exchange.socket, bytes, kToken);
  if (unsent) co_return fail(ErrorCode::send_failed, unsent.message());
  std::array<char, 512> answer{};
  size_t have = 0;
  while (have < 16) {
    const auto room = asio::buffer(answer.data() + have, answer.size() - have);
    auto [unreceived, count] = co_await exchange.socket.async_read_some(room, kToken);
    if (unreceived) co_return fail(ErrorCode::connection_lost, unreceived.message());
    have += count;
  }
  co_return status_of({answer.data(), have});
}

}  // namespace

Result<HttpTarget> HttpTarget::parse(std::string_view url) {
  const size_t slash = url.find('/', kScheme.size());
  const std::string_view authority =
      url.starts_with(kScheme) ? url.substr(kScheme.size(), slash - kScheme.size()) : std::string_view();
  const size_t colon = authority.rfind(':');
  if (slash == std::string_view::npos || colon == std::string_view::npos || colon == 0 ||
      colon + 1 == authority.size()) {
    return fail(ErrorCode::bad_config,
                "'" + std::string(url) + "' is no place to send alerts to; write http://HOST:PORT/PATH");
  }
  return HttpTarget{std::string(authority.substr(0, colon)), std::string(authority.substr(colon + 1)),
                    std::string(url.substr(slash))};
}

asio::awaitable<Result<int>> http_post(const HttpTarget& target, const Secret& bearer_token, const std::string& json,
                                       Duration patience) {
  auto executor = co_await asio::this_coro::executor;
  const auto exchange = std::make_shared<Exchange>(executor);
  set_deadline(exchange, patience);
  const std::string text = request_text(target, bearer_token, json);
  auto status = co_await converse(*exchange, target, text);
  exchange->timer.cancel();
  co_return status;
}

}  // namespace slosonde::demo
