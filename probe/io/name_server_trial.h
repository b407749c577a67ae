// Asks name servers what any that lives answers at once, for as long as somebody wants to know.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "probe/io/boot_clock.h"

namespace slosonde::io {

// Engine thread. Over when the last who holds it lets go.
class NameServerTrial : public std::enable_shared_from_this<NameServerTrial> {
 public:
  using Endpoint = boost::asio::ip::udp::endpoint;

  // `heard` is called for every answer, whatever it says.
  NameServerTrial(boost::asio::io_context& context, std::vector<Endpoint> servers, std::function<void()> heard);
  ~NameServerTrial();
  NameServerTrial(const NameServerTrial&) = delete;
  NameServerTrial& operator=(const NameServerTrial&) = delete;

  void begin();
  // Whether every server is asked: else silence says nothing.
  bool asks_all() const { return !servers_.empty() && peers_.size() == servers_.size(); }

 private:
  struct Peer;

  void ask();
  void listen(const std::shared_ptr<Peer>& peer);

  boost::asio::io_context& context_;
  std::vector<Endpoint> servers_;
  std::function<void()> heard_;
  std::vector<std::shared_ptr<Peer>> peers_;
  BootTimer again_;
};

}  // namespace slosonde::io
