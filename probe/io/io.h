// The one seam to the world: clock, randomness, timers, names, sockets, blocking work, hooks. `Real` (real.h) is the
// world; tests and the simulation have their own.
//
// Everything here is called on the engine thread unless it says otherwise. Every wait has a deadline. Coroutines end
// early with ErrorCode::cancelled when the coroutine that awaits them is cancelled.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probe/base/result.h"
#include "probe/base/secret.h"
#include "probe/base/time.h"
#include "probe/io/hooks.h"
#include "probe/io/inbox.h"
#include "probe/io/stream.h"

namespace slosonde::io {

template <class T>
using Awaitable = boost::asio::awaitable<T>;

enum class IpFamily : uint8_t { any, v4, v6 };

// One address of a host: numeric text as getaddrinfo would print it ("127.0.0.1", "::1").
struct Address {
  std::string text;
  bool v6 = false;
};

class Io {
 public:
  virtual ~Io() = default;

  // Any thread. Never steps; see probe/base/time.h.
  virtual Instant now() const = 0;
  // What the wall clock says now minus now(): 0 until somebody steps the clock. Any thread.
  virtual Duration wall_offset() const = 0;
  virtual uint64_t random() = 0;
  // How long the engine thread has waited for a processor, while it had work: since it began.
  virtual Duration processor_wait() const = 0;

  virtual boost::asio::any_io_executor executor() = 0;

  // Returns at `when` or when cancelled, whichever is first.
  virtual Awaitable<void> sleep_until(Instant when) = 0;

  // A numeric host answers at once. Codes: resolve_failed, resolve_timeout, cancelled, own faults.
  virtual Awaitable<Result<std::vector<Address>>> resolve(std::string host, IpFamily family, Instant deadline) = 0;

  // TCP (tls == nullptr) or TLS to one address. Codes: connect_*, tls_*, cancelled, own faults.
  virtual Awaitable<Result<std::unique_ptr<Stream>>> connect(Address address, uint16_t port, const TlsSettings* tls,
                                                             Instant deadline) = 0;

  // Waits until a descriptor of somebody else's (libcurl's epoll, librdkafka's eventfd) is readable. `timeout` when the
  // deadline passes first. The descriptor stays its owner's.
  virtual Awaitable<Result<void>> readable(int descriptor, Instant deadline) = 0;

  // Runs work on the blocking lane (its own few threads) and comes back with `busy` when the lane's queue is full and
  // `timeout` when the deadline passes first; the work itself then still runs to its end, so it must own what it uses.
  virtual Awaitable<Result<void>> blocking(std::function<void()> work, Instant deadline) = 0;

  // Into the engine thread from any other.
  virtual Inbox& inbox() = 0;

  // Where webhook watches listen; nullptr when the configuration has no place for hooks.
  virtual HookRegistry* hooks() = 0;

  // One shared handle per key (a producer per broker list, a curl driver per target): made on first use, dropped when
  // its last user drops it. T must be the same for every use of a key; begin keys with the kind's name.
  template <class T, class Make>
  std::shared_ptr<T> shared(const std::string& key, Make make) {
    if (auto alive = std::static_pointer_cast<T>(handles_[key].lock())) return alive;
    std::erase_if(handles_, [](const auto& handle) { return handle.second.expired(); });
    std::shared_ptr<T> fresh = make();
    handles_[key] = fresh;
    return fresh;
  }

 private:
  std::map<std::string, std::weak_ptr<void>> handles_;
};

}  // namespace slosonde::io
