// Names to addresses with c-ares on the engine's loop: no thread, no lookup that outlives its deadline.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "probe/base/result.h"
#include "probe/io/boot_clock.h"
#include "probe/io/io.h"

namespace slosonde::io {

// Engine thread. /etc/hosts and /etc/resolv.conf count (and are read again when resolv.conf changes), unless servers
// are given ("127.0.0.1:5353"). Nothing is cached: each lookup asks, as a new client would. While a name stays
// unanswered the servers are asked for the root: where they say nothing to anybody (or nothing listens there), that is
// our own fault, not the name's.
class Resolver {
 public:
  Resolver(boost::asio::io_context& context, std::vector<std::string> servers);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  boost::asio::awaitable<Result<std::vector<Address>>> resolve(std::string host, IpFamily family,
                                                               BootClock::time_point deadline);

  // Abandoned lookups end by themselves within a few seconds; this many at once are enough.
  static constexpr size_t kMostInFlight = 1024;

 private:
  class Channel;

  Result<std::shared_ptr<Channel>> channel();

  boost::asio::io_context& context_;
  const std::vector<std::string> servers_;
  std::shared_ptr<Channel> channel_;
  std::string stamp_;
};

}  // namespace slosonde::io
