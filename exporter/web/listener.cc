#include "exporter/web/listener.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "exporter/web/socket.h"

namespace slosonde::exporter {

namespace asio = boost::asio;

namespace {

constexpr Duration kRetry = std::chrono::milliseconds(100);
constexpr int kBacklog = 1024;
constexpr int kAcceptsATurn = 64;

bool is_shortage(const boost::system::error_code& code) {
  return code.value() == EMFILE || code.value() == ENFILE || code.value() == ENOBUFS || code.value() == ENOMEM;
}

int open_spare() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const std::string& text, std::string_view role, Site& site,
                                                 ListenerShared& shared, TlsAcceptor* tls) {
  auto address = parse_address(text);
  if (!address) return fail(address.error().code, std::string(role) + ": " + address.error().text);
  const auto socket = bind_socket(*address, role);
  if (!socket) return fail(socket.error());
  std::unique_ptr<Listener> listener(new Listener(std::move(*address), site, shared));
  listener->connections_.tls = tls;
  Code code;
  listener->acceptor_.assign(asio::generic::stream_protocol(listener->address_.socket.ss_family, 0), *socket, code);
  if (!code) listener->acceptor_.non_blocking(true, code);
  if (code) {
    if (!listener->acceptor_.is_open()) ::close(*socket);
    return fail(error_from_errno(code.value(), std::string(role) + " address " + text));
  }
  // Two processes that reuse the address both bind; the second learns of the first here.
  if (::listen(*socket, kBacklog) != 0) {
    const int number = errno;
    if (number == EADDRINUSE) {
      return fail(ErrorCode::busy, std::string(role) + " address " + text +
                                       " is in use by another program; stop that one or choose another address");
    }
    return fail(error_from_errno(number, std::string(role) + " address " + text));
  }
  const auto bound = listener->address_.is_unix() ? Result<std::string>(text) : bound_address(*socket);
  if (!bound) return fail(bound.error());
  listener->bound_ = *bound;
  listener->since_ = unix_ns(shared.now());
  return listener;
}

Listener::Listener(Address address, Site& site, ListenerShared& shared)
    : address_(std::move(address)),
      inode_(socket_file_inode(address_)),
      shared_(shared),
      acceptor_(shared.context),
      retry_(shared.context),
      connections_{site, shared.limits, shared.now, shared.attention, shared.bodies_bytes, shared.scratch, {},
                   {},   false,         nullptr},
      spare_(open_spare()) {
  connections_.on_closed = [this] { take_spare_back(); };
}

Listener::~Listener() {
  try {
    close();
  } catch (...) {  // Asio's cancel() is allowed to throw, and does not
  }
  if (spare_ >= 0) ::close(spare_);
}

void Listener::start() {
  wait();
}

void Listener::keep_on() {
  if (armed_ || !acceptor_.is_open()) return;
  connections_.site.turned_away(TurnedAway::no_descriptors);
  wait();
}

void Listener::close() {
  if (!acceptor_.is_open()) return;
  since_ = kNotAccepting;
  remove_socket_file(address_, inode_);
  Code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  connections_.on_closed = {};
  while (!connections_.waiting.empty()) connections_.waiting.front()->close();
}

std::optional<Instant> Listener::accepting_since() const {
  const int64_t since = since_;
  if (since == kNotAccepting) return {};
  return instant_from_unix_ns(since);
}

// Waits before it accepts: on a full table accept(2) fails even when nobody calls.
void Listener::wait() {
  acceptor_.async_wait(Acceptor::wait_read, [this](const Code& code) {
    armed_ = false;
    shared_.attention.wakes();
    if (code == asio::error::operation_aborted || !acceptor_.is_open()) return;
    accept();
  });
  armed_ = true;
}

void Listener::accept() {
  for (int taken = 0; taken < kAcceptsATurn; ++taken) {
    Code code;
    Connection::Socket socket(shared_.context);
    acceptor_.accept(socket, code);
    if (code == asio::error::would_block || code == asio::error::try_again) {
      // The shortage may be over though the caller has gone: nobody need call for us to see again.
      if (since_ == kNotAccepting) since_ = unix_ns(shared_.now());
      break;
    }
    if (is_shortage(code)) {
      if (free_descriptor()) continue;
      since_ = kNotAccepting;
      connections_.site.turned_away(TurnedAway::no_descriptors);
      return retry_later();
    }
    if (!code) take_in(std::move(socket));  // else the client went away between its call and ours
  }
  wait();
}

void Listener::take_in(Connection::Socket socket) {
  if (since_ == kNotAccepting) since_ = unix_ns(shared_.now());
  if (!address_.is_unix()) {
    const int on = 1;
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  // The one that has waited longest for its client is the least likely to be a loss: honest ones ask and go.
  while (connections_.waiting.size() >= shared_.limits.connections) {
    if (!drop_longest_waiting()) return connections_.site.turned_away(TurnedAway::connections);
  }
  std::make_shared<Connection>(std::move(socket), connections_)->start();
}

bool Listener::drop_longest_waiting() {
  auto& waiting = connections_.waiting;
  const auto found = std::find_if(waiting.begin(), waiting.end(), [](Connection* c) { return c->waits_for_client(); });
  if (found == waiting.end()) return false;
  if (!(*found)->is_idle()) connections_.site.turned_away(TurnedAway::connections);
  (*found)->close();
  return true;
}

// Somebody calls and the process has no descriptor for it: the spare, or that of the connection that waits longest.
bool Listener::free_descriptor() {
  if (spare_ < 0) return drop_longest_waiting();
  ::close(std::exchange(spare_, -1));
  connections_.spare_in_use = true;
  return true;
}

void Listener::retry_later() {
  retry_.expires_after(kRetry);
  retry_.async_wait([this](const Code& code) {
    if (code || !acceptor_.is_open()) return;
    armed_ = false;
    take_spare_back();
    accept();
  });
  armed_ = true;
}

void Listener::take_spare_back() {
  if (spare_ >= 0 || !connections_.spare_in_use) return;
  spare_ = open_spare();
  if (spare_ >= 0) connections_.spare_in_use = false;
}

}  // namespace slosonde::exporter
