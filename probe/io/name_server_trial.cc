#include "probe/io/name_server_trial.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <chrono>
#include <string_view>
#include <utility>

namespace slosonde::io {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

namespace {

// Datagrams may be lost.
constexpr Duration kAskEvery = std::chrono::milliseconds(200);
// The name servers of the root (RFC 1035, 4.1): whoever resolves names for others knows them, whatever zone is down. A
// server that only passes questions on lives if those do that it asks.
constexpr std::string_view kQuestion("so\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1", 17);

}  // namespace

struct NameServerTrial::Peer {
  explicit Peer(asio::io_context& context) : socket(context) {}
  udp::socket socket;
  std::array<char, 512> space{};
};

NameServerTrial::NameServerTrial(asio::io_context& context, std::vector<Endpoint> servers, std::function<void()> heard)
    : context_(context), servers_(std::move(servers)), heard_(std::move(heard)), again_(context) {}

// Who waits to receive holds its socket.
NameServerTrial::~NameServerTrial() {
  for (const auto& peer : peers_) {
    error_code ignored;
    peer->socket.close(ignored);
  }
}

void NameServerTrial::begin() {
  for (const Endpoint& server : servers_) {
    auto peer = std::make_shared<Peer>(context_);
    error_code problem;
    peer->socket.open(server.protocol(), problem);
    if (!problem) peer->socket.non_blocking(true, problem);
    if (problem) continue;
    error_code unreachable;  // that is silence
    peer->socket.connect(server, unreachable);
    listen(peer);
    peers_.push_back(std::move(peer));
  }
  ask();
}

void NameServerTrial::ask() {
  for (const auto& peer : peers_) {
    error_code unreachable;
    peer->socket.send(asio::buffer(kQuestion), 0, unreachable);
  }
  again_.expires_after(kAskEvery);
  again_.async_wait([weak = weak_from_this()](const error_code& problem) {
    const auto self = weak.lock();
    if (!problem && self) self->ask();
  });
}

void NameServerTrial::listen(const std::shared_ptr<Peer>& peer) {
  auto received = [weak = weak_from_this(), peer](const error_code& problem, size_t /*bytes*/) {
    const auto self = weak.lock();
    if (!self) return;
    if (!problem) self->heard_();
    // What says that nobody listens there is none, but a later question may have an answer.
    if (!problem || problem == asio::error::connection_refused) self->listen(peer);
  };
  peer->socket.async_receive(asio::buffer(peer->space), std::move(received));
}

}  // namespace slosonde::io
