// One role's listening socket and its connections.
#pragma once

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/web/address.h"
#include "exporter/web/attention.h"
#include "exporter/web/connection.h"
#include "exporter/web/options.h"
#include "exporter/web/site.h"
#include "probe/base/result.h"

namespace slosonde::exporter {

// What all listeners share; owned by the server. Web thread.
struct ListenerShared {
  boost::asio::io_context& context;
  const WebLimits& limits;
  std::function<Instant()> now;
  Attention& attention;
  size_t bodies_bytes = 0;
  std::vector<char> scratch = std::vector<char>(64 * 1024);
};

// Opened before the web thread starts, then of that thread, but for what says otherwise.
class Listener {
 public:
  static Result<std::unique_ptr<Listener>> open(const std::string& address, std::string_view role, Site& site,
                                                ListenerShared& shared, TlsAcceptor* tls = nullptr);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();
  void close();
  // Goes on accepting where an exception had ended that; cheap when nothing has.
  void keep_on();

  const std::string& bound() const { return bound_; }
  bool is_unix() const { return address_.is_unix(); }
  // Any thread: since when it has accepted without a break.
  std::optional<Instant> accepting_since() const;

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;
  using Code = boost::system::error_code;

  Listener(Address address, Site& site, ListenerShared& shared);
  void wait();
  void accept();
  void take_in(Connection::Socket socket);
  bool free_descriptor();
  bool drop_longest_waiting();
  void retry_later();
  void take_spare_back();

  Address address_;
  std::string bound_;
  unsigned long inode_ = 0;
  ListenerShared& shared_;
  Acceptor acceptor_;
  boost::asio::steady_timer retry_;
  ConnectionShared connections_;
  bool armed_ = false;  // waits for callers, or for a while to pass
  int spare_ = -1;      // a descriptor kept for the day there is none left: metrics must be readable then
  std::atomic<int64_t> since_{kNotAccepting};
  static constexpr int64_t kNotAccepting = INT64_MIN;
};

}  // namespace slosonde::exporter
