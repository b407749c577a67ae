// A small HTTP/1.1 server for the demo: bounded requests, a bounded number of connections, deadlines.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

#include "probe/base/result.h"

namespace slosonde::demo {

struct HttpRequest {
  std::string method, path, body;
};

struct HttpResponse {
  int status = 200;
  std::string body;
  std::string type = "application/json";
};

// {"error": "…"} with that status.
HttpResponse problem(int status, const std::string& what);

// On the io_context's thread.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;  // must not throw

  // `address` is host:port with a numeric host; port 0 takes a free one.
  static Result<std::unique_ptr<HttpServer>> listen(boost::asio::io_context& io, const std::string& address,
                                                    Handler handler);

  // host:port
  std::string address() const;
  uint64_t turned_away() const { return turned_away_; }

 private:
  HttpServer(boost::asio::io_context& io, boost::asio::ip::tcp::acceptor acceptor, Handler handler);
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  const Handler handler_;
  int open_ = 0;
  uint64_t turned_away_ = 0;  // connections beyond the cap
};

}  // namespace slosonde::demo
