#include "probe/io/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "probe/io/name_server_trial.h"

namespace slosonde::io {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr int kTry_ms = 1000;  // how long a server is given at first; later tries get more
constexpr int kTries = 3;
constexpr int kDnsPort = 53;
// Unanswered so long, or for a quarter of the time there is: do our name servers live at all? Their silence proves
// something once they were asked for at least so long.
constexpr Duration kDoubtAfter = std::chrono::milliseconds(300);
constexpr Duration kLeastTrial = std::chrono::milliseconds(200);

struct Query {
  explicit Query(asio::io_context& context) : timer(context) {}

  BootTimer timer;
  bool done = false;
  int status = ARES_SUCCESS;
  std::vector<Address> addresses;
};

void note_addresses(Query& query, const ares_addrinfo* found) {
  for (const auto* node = found->nodes; node; node = node->ai_next) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v6 = node->ai_family == AF_INET6;
    const void* number = v6 ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(node->ai_addr)->sin6_addr)
                            : &reinterpret_cast<sockaddr_in*>(node->ai_addr)->sin_addr;
    if (!inet_ntop(node->ai_family, number, text.data(), text.size())) continue;
    const std::string address = text.data();
    const auto same = [&](const Address& other) { return other.text == address; };
    if (std::none_of(query.addresses.begin(), query.addresses.end(), same)) query.addresses.push_back({address, v6});
  }
}

void answered(Query& query, int status, ares_addrinfo* found) {
  query.status = status;
  if (found) {
    if (status == ARES_SUCCESS) note_addresses(query, found);
    ares_freeaddrinfo(found);
  }
  query.done = true;
  query.timer.cancel();
}

Error explain(const std::string& host, IpFamily family, int status, int own_errno) {
  if (own_errno != 0) return error_from_errno(own_errno, "a socket to resolve \"" + host + "\"");
  const std::string what = "the name \"" + host + "\"";
  switch (status) {
    case ARES_ENOTFOUND:
      return {ErrorCode::resolve_failed, what + " does not exist, says the name server"};
    case ARES_ENODATA:
      return {ErrorCode::resolve_failed, what + (family == IpFamily::any  ? " has no address"
                                                 : family == IpFamily::v6 ? " has no IPv6 address"
                                                                          : " has no IPv4 address")};
    case ARES_ETIMEOUT:
      return {ErrorCode::resolve_timeout, what + " was not resolved in time: no name server answered this"};
    case ARES_ECONNREFUSED:
      return {ErrorCode::resolve_failed, what + " was not resolved: nothing listens at the name servers' addresses"};
    case ARES_ENOMEM:
      return {ErrorCode::no_memory, what + " was not resolved: out of memory"};
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return {ErrorCode::cancelled, what + " was not resolved: cancelled"};
    default:
      return {ErrorCode::resolve_failed, what + " was not resolved: " + ares_strerror(status)};
  }
}

// Our own: whoever is asked about anything says nothing.
Error unheard(const std::string& host, int status) {
  const std::string what = "the name \"" + host + "\" was not resolved: ";
  if (status == ARES_ECONNREFUSED) {
    return {ErrorCode::io_failed, what + "nothing listens at the name servers' addresses"};
  }
  return {ErrorCode::io_failed, what + "our name servers answer nothing at all, whatever they are asked"};
}

std::optional<Address> as_number(const std::string& host) {
  std::array<unsigned char, 16> number{};
  if (inet_pton(AF_INET, host.c_str(), number.data()) == 1) return Address{host, false};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_pton(AF_INET6, host.c_str(), number.data()) != 1) return std::nullopt;
  inet_ntop(AF_INET6, number.data(), text.data(), text.size());
  return Address{text.data(), true};
}

std::string resolv_conf_stamp() {
  struct stat state {};
  if (stat("/etc/resolv.conf", &state) != 0) return "none";
  return std::to_string(state.st_ino) + " " + std::to_string(state.st_mtim.tv_sec) + "." +
         std::to_string(state.st_mtim.tv_nsec);
}

// At `until` at the latest. False: cancelled.
asio::awaitable<bool> answered_by(std::shared_ptr<Query> query, BootClock::time_point until) {
  if (query->done) co_return true;
  query->timer.expires_at(until);
  auto [stopped] = co_await query->timer.async_wait(kTuple);
  co_return query->done || !stopped;
}

}  // namespace

// One set of servers. Lives until its last lookup has ended, also when a newer one has taken its place.
class Resolver::Channel : public std::enable_shared_from_this<Channel> {
 public:
  explicit Channel(asio::io_context& context) : context_(context), tick_(context) {}
  ~Channel() { close(); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int open(const std::vector<std::string>& servers);
  void close();
  void ask(const std::string& host, int family, std::shared_ptr<Query> query);
  size_t in_flight() const { return in_flight_; }
  int own_errno() const { return own_errno_; }
  // Whether a server has said anything, to whomever of us, since then.
  bool heard_since(BootClock::time_point t) const { return heard_ >= t; }
  // Asks the servers whether they live, as long as somebody holds it.
  std::shared_ptr<NameServerTrial> trial();

 private:
  struct Socket {
    explicit Socket(asio::io_context& context) : descriptor(context) {}
    asio::posix::stream_descriptor descriptor;
    bool wants_read = false, wants_write = false;
    bool reading = false, writing = false;
  };
  struct Owned {
    std::shared_ptr<Query> query;
    std::shared_ptr<Channel> channel;
  };

  static void on_state(void* self, ares_socket_t number, int readable, int writable);
  static void on_answer(void* given, int status, int timeouts, ares_addrinfo* found);
  static int connect_socket(ares_socket_t made, const sockaddr* to, ares_socklen_t size, void* self);
  static ares_socket_t make_socket(int domain, int type, int protocol, void* self);
  static ares_ssize_t receive(ares_socket_t made, void* space, size_t size, int flags, sockaddr* from,
                              ares_socklen_t* from_size, void* self);
  std::vector<NameServerTrial::Endpoint> servers() const;
  void watch(int number, const std::shared_ptr<Socket>& socket);
  void tick();

  asio::io_context& context_;
  ares_channel handle_ = nullptr;
  std::map<int, std::shared_ptr<Socket>> sockets_;
  BootTimer tick_;
  bool ticking_ = false;
  size_t in_flight_ = 0;
  int own_errno_ = 0;
  BootClock::time_point heard_ = BootClock::time_point::min();
  std::weak_ptr<NameServerTrial> trial_;
};

int Resolver::Channel::open(const std::vector<std::string>& servers) {
  static std::once_flag once;
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
  ares_options options{};
  options.timeout = kTry_ms;
  options.tries = kTries;
  options.sock_state_cb = on_state;
  options.sock_state_cb_data = this;
  const int status =
      ares_init_options(&handle_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) {
    handle_ = nullptr;
    return status;
  }
  // c-ares does not say when socket() failed for want of descriptors, so it is ours; and then the others must be too.
  static const ares_socket_functions functions = {make_socket, [](ares_socket_t made, void*) { return ::close(made); },
                                                  connect_socket, receive,
                                                  [](ares_socket_t made, const iovec* parts, int count, void*) {
                                                    return static_cast<ares_ssize_t>(::writev(made, parts, count));
                                                  }};
  ares_set_socket_functions(handle_, &functions, this);
  if (servers.empty()) return ARES_SUCCESS;
  std::string list;
  for (const auto& server : servers) list += (list.empty() ? "" : ",") + server;
  return ares_set_servers_ports_csv(handle_, list.c_str());
}

void Resolver::Channel::close() {
  if (handle_) ares_destroy(std::exchange(handle_, nullptr));
}

ares_socket_t Resolver::Channel::make_socket(int domain, int type, int protocol, void* self) {
  const int made = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (made < 0 && errno != EAFNOSUPPORT) static_cast<Channel*>(self)->own_errno_ = errno;
  return made;
}

int Resolver::Channel::connect_socket(ares_socket_t made, const sockaddr* to, ares_socklen_t size, void* self) {
  const int result = ::connect(made, to, size);
  // Not to be had: a local port.
  if (result != 0 && errno == EAGAIN) static_cast<Channel*>(self)->own_errno_ = errno;
  return result;
}

ares_ssize_t Resolver::Channel::receive(ares_socket_t made, void* space, size_t size, int flags, sockaddr* from,
                                        ares_socklen_t* from_size, void* self) {
  const ssize_t got = ::recvfrom(made, space, size, flags, from, from_size);
  if (got > 0) static_cast<Channel*>(self)->heard_ = BootClock::now();
  return static_cast<ares_ssize_t>(got);
}

std::vector<NameServerTrial::Endpoint> Resolver::Channel::servers() const {
  std::vector<NameServerTrial::Endpoint> all;
  ares_addr_port_node* first = nullptr;
  if (ares_get_servers_ports(handle_, &first) != ARES_SUCCESS) return all;
  for (const ares_addr_port_node* node = first; node != nullptr; node = node->next) {
    const auto port = static_cast<uint16_t>(node->udp_port == 0 ? kDnsPort : node->udp_port);
    if (node->family == AF_INET6) {
      asio::ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &node->addr.addr6, bytes.size());
      all.emplace_back(asio::ip::address_v6(bytes), port);
    } else {
      all.emplace_back(asio::ip::address_v4(ntohl(node->addr.addr4.s_addr)), port);
    }
  }
  ares_free_data(first);
  return all;
}

std::shared_ptr<NameServerTrial> Resolver::Channel::trial() {
  if (auto under_way = trial_.lock()) return under_way;
  auto heard = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->heard_ = BootClock::now();
  };
  auto fresh = std::make_shared<NameServerTrial>(context_, servers(), std::move(heard));
  trial_ = fresh;
  fresh->begin();
  return fresh;
}

// c-ares says which of its sockets it wants to hear of; neither of both means that it is about to close it.
void Resolver::Channel::on_state(void* self, ares_socket_t number, int readable, int writable) {
  auto& channel = *static_cast<Channel*>(self);
  auto found = channel.sockets_.find(number);
  if (!readable && !writable) {
    if (found == channel.sockets_.end()) return;
    const auto socket = found->second;
    channel.sockets_.erase(found);
    socket->wants_read = socket->wants_write = false;
    error_code ignored;
    socket->descriptor.cancel(ignored);
    socket->descriptor.release();
    return;
  }
  if (found == channel.sockets_.end()) {
    auto socket = std::make_shared<Socket>(channel.context_);
    error_code problem;
    socket->descriptor.assign(number, problem);
    if (problem) return;  // the lookup then ends by its timeout
    found = channel.sockets_.emplace(number, std::move(socket)).first;
  }
  found->second->wants_read = readable != 0;
  found->second->wants_write = writable != 0;
  channel.watch(number, found->second);
}

void Resolver::Channel::watch(int number, const std::shared_ptr<Socket>& socket) {
  const auto wait = [&](bool Socket::*wanted, bool Socket::*waiting, auto kind, bool read) {
    if (!((*socket).*wanted) || (*socket).*waiting) return;
    (*socket).*waiting = true;
    auto ready = [weak = weak_from_this(), socket, number, wanted, waiting, read](const error_code& problem) {
      (*socket).*waiting = false;
      const auto self = weak.lock();
      if (problem || !self || !self->handle_ || !((*socket).*wanted)) return;
      ares_process_fd(self->handle_, read ? number : ARES_SOCKET_BAD, read ? ARES_SOCKET_BAD : number);
      if (socket->wants_read || socket->wants_write) self->watch(number, socket);
    };
    socket->descriptor.async_wait(kind, std::move(ready));
  };
  wait(&Socket::wants_read, &Socket::reading, asio::posix::descriptor_base::wait_read, true);
  wait(&Socket::wants_write, &Socket::writing, asio::posix::descriptor_base::wait_write, false);
}

// c-ares' own timeouts, for as long as it has something to wait for.
void Resolver::Channel::tick() {
  if (ticking_ || in_flight_ == 0) return;
  timeval space{};
  const timeval* next = ares_timeout(handle_, nullptr, &space);
  const Duration pause =
      next ? std::chrono::seconds(next->tv_sec) + std::chrono::microseconds(next->tv_usec) : std::chrono::seconds(1);
  ticking_ = true;
  tick_.expires_after(pause);
  tick_.async_wait([weak = weak_from_this()](const error_code& problem) {
    const auto self = weak.lock();
    if (!self) return;
    self->ticking_ = false;
    if (problem || !self->handle_) return;
    ares_process_fd(self->handle_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    self->tick();
  });
}

// c-ares hands back the pointer it was given; who asked may have given up meanwhile.
void Resolver::Channel::on_answer(void* given, int status, int /*timeouts*/, ares_addrinfo* found) {
  const std::unique_ptr<Owned> owned(static_cast<Owned*>(given));
  Channel& channel = *owned->channel;
  answered(*owned->query, status, found);
  if (--channel.in_flight_ == 0) channel.tick_.cancel();
}

void Resolver::Channel::ask(const std::string& host, int family, std::shared_ptr<Query> query) {
  ares_addrinfo_hints hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  ++in_flight_;
  own_errno_ = 0;
  ares_getaddrinfo(handle_, host.c_str(), nullptr, &hints, on_answer, new Owned{std::move(query), shared_from_this()});
  tick();
}

Resolver::Resolver(asio::io_context& context, std::vector<std::string> servers)
    : context_(context), servers_(std::move(servers)) {}

Resolver::~Resolver() {
  if (channel_) channel_->close();
}

Result<std::shared_ptr<Resolver::Channel>> Resolver::channel() {
  std::string stamp = servers_.empty() ? resolv_conf_stamp() : "given";
  if (channel_ && stamp == stamp_) return channel_;
  auto fresh = std::make_shared<Channel>(context_);
  const int status = fresh->open(servers_);
  if (status == ARES_ENOMEM) return fail(ErrorCode::no_memory, "no memory to resolve names");
  if (status == ARES_EFILE) return fail(ErrorCode::no_descriptors, "the resolver's settings cannot be read");
  if (status != ARES_SUCCESS) {
    return fail(ErrorCode::io_failed, std::string("names cannot be resolved: ") + ares_strerror(status));
  }
  channel_ = std::move(fresh);
  stamp_ = std::move(stamp);
  return channel_;
}

asio::awaitable<Result<std::vector<Address>>> Resolver::resolve(std::string host, IpFamily family,
                                                                BootClock::time_point deadline) {
  if (auto number = as_number(host)) {
    if (family != IpFamily::any && (family == IpFamily::v6) != number->v6) {
      co_return fail(ErrorCode::resolve_failed,
                     host + " is no " + (family == IpFamily::v6 ? "IPv6" : "IPv4") + " address");
    }
    std::vector<Address> one;
    one.push_back(std::move(*number));
    co_return one;
  }
  auto got = channel();
  if (!got) co_return fail(got.error());
  const std::shared_ptr<Channel> channel = *got;
  if (channel->in_flight() >= kMostInFlight) {
    co_return fail(ErrorCode::busy, std::to_string(kMostInFlight) + " names are being resolved already");
  }
  const auto query = std::make_shared<Query>(context_);
  const BootClock::time_point began = BootClock::now();
  channel->ask(host, family == IpFamily::any ? AF_UNSPEC : family == IpFamily::v6 ? AF_INET6 : AF_INET, query);
  auto went_on = co_await answered_by(query, began + std::min(kDoubtAfter, (deadline - began) / 4));
  const BootClock::time_point doubted = BootClock::now();
  std::shared_ptr<NameServerTrial> trial;
  if (went_on && !query->done) {
    trial = channel->trial();
    auto to_the_end = co_await answered_by(query, deadline);
    went_on = to_the_end;
  }
  if (!went_on) co_return fail(ErrorCode::cancelled, "cancelled while \"" + host + "\" was resolved");
  const int own = query->done ? channel->own_errno() : 0;
  const int word = query->done ? query->status : ARES_ETIMEOUT;
  // Silent however they are asked, or refused at once by all of them.
  const bool asked = trial ? trial->asks_all() && BootClock::now() - doubted >= kLeastTrial : word == ARES_ECONNREFUSED;
  const bool none = (word == ARES_ETIMEOUT || word == ARES_ECONNREFUSED) && !channel->heard_since(began);
  if (own == 0 && none && asked) co_return fail(unheard(host, word));
  if (query->status == ARES_SUCCESS && !query->addresses.empty()) co_return std::move(query->addresses);
  co_return fail(explain(host, family, word == ARES_SUCCESS ? ARES_ENODATA : word, own));
}

}  // namespace slosonde::io
