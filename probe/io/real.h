// The world itself: the engine thread's loop, its clock, names, sockets and threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probe/io/io.h"

namespace slosonde::io {

struct RealOptions {
  // Name servers ("127.0.0.1:5353", "[::1]:53"); none: the system's. The environment's SLOSONDE_DNS_SERVERS, a list
  // with commas, gives the default.
  std::vector<std::string> dns_servers;
  unsigned blocking_threads = 4;
  size_t blocking_queue = 256;

  static RealOptions from_environment();
};

// Made, turned and ended by the engine thread; what runs on another says so. Everything that uses it ends before it.
class Real final : public Io {
 public:
  explicit Real(RealOptions options = RealOptions::from_environment());
  ~Real() override;
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;

  // Turns the loop until stop(). Nothing of ours throws, but for want of memory: what a handler throws all the same is
  // told to `caught` and costs that handler, not the process.
  void run();
  void on_exception(std::function<void(std::string_view what)> caught);
  // Any thread, and signal handlers' handlers. What is under way is left as it is; run() may be called again.
  void stop();
  // Turns what is ready, without waiting, so that what was cancelled can end. Says how many handlers ran.
  size_t poll();

  // Webhook watches register there; null takes the place away. The registry outlives every watch.
  void set_hooks(HookRegistry* hooks);

  // Calls `handler` on the engine thread, for each SIGTERM, SIGINT or SIGHUP from now on. May be called once.
  void on_signals(std::vector<int> signals, std::function<void(int signal)> handler);

  uint64_t blocking_refused() const;  // any thread: how often the blocking lane was full

  Instant now() const override;
  Duration wall_offset() const override;
  uint64_t random() override;
  Duration processor_wait() const override;
  boost::asio::any_io_executor executor() override;
  Awaitable<void> sleep_until(Instant when) override;
  Awaitable<Result<std::vector<Address>>> resolve(std::string host, IpFamily family, Instant deadline) override;
  Awaitable<Result<std::unique_ptr<Stream>>> connect(Address address, uint16_t port, const TlsSettings* tls,
                                                     Instant deadline) override;
  Awaitable<Result<void>> readable(int descriptor, Instant deadline) override;
  Awaitable<Result<void>> blocking(std::function<void()> work, Instant deadline) override;
  Inbox& inbox() override;
  HookRegistry* hooks() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slosonde::io
