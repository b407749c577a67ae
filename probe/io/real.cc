#include "probe/io/real.h"

#include <sys/random.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <optional>
#include <random>
#include <sstream>
#include <utility>

#include "probe/io/boot_clock.h"
#include "probe/io/connect.h"
#include "probe/io/lane.h"
#include "probe/io/processor_wait.h"
#include "probe/io/resolver.h"
#include "probe/io/watchdog.h"

namespace slosonde::io {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
// Rounds given to what was cancelled before the loop goes.
constexpr int kLastRounds = 16;

Duration wall_clock() {
  timespec reading{};
  clock_gettime(CLOCK_REALTIME, &reading);
  return std::chrono::seconds(reading.tv_sec) + std::chrono::nanoseconds(reading.tv_nsec);
}

Duration wall_minus_boot() {
  return wall_clock() - BootClock::now().time_since_epoch();
}

// Lends somebody else's descriptor to Asio, and gives it back unharmed.
class Borrowed {
 public:
  explicit Borrowed(asio::io_context& context) : descriptor_(context) {}
  ~Borrowed() {
    if (!descriptor_.is_open()) return;
    error_code ignored;
    descriptor_.cancel(ignored);
    descriptor_.release();
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;

  asio::posix::stream_descriptor& operator*() { return descriptor_; }
  asio::posix::stream_descriptor* operator->() { return &descriptor_; }

 private:
  asio::posix::stream_descriptor descriptor_;
};

}  // namespace

RealOptions RealOptions::from_environment() {
  RealOptions made;
  if (const char* given = std::getenv("SLOSONDE_DNS_SERVERS")) {
    std::istringstream list(given);
    for (std::string server; std::getline(list, server, ',');)
      if (!server.empty()) made.dns_servers.push_back(server);
  }
  return made;
}

struct Real::Impl {
  explicit Impl(RealOptions options)
      : lane(context, options.blocking_threads, options.blocking_queue),
        resolver(context, std::move(options.dns_servers)),
        inbox_event(context) {}

  const Duration offset = wall_minus_boot();  // what an Instant adds to the boot clock
  const ProcessorWait processor_wait;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_turning{context.get_executor()};
  Inbox inbox;
  Lane lane;
  Resolver resolver;
  std::shared_ptr<TlsContexts> contexts = std::make_shared<TlsContexts>();
  asio::posix::stream_descriptor inbox_event;
  std::optional<asio::signal_set> signals;
  std::function<void(int)> on_signal;
  std::function<void(std::string_view)> caught;  // must not throw
  HookRegistry* hooks = nullptr;
  std::array<uint64_t, 32> random{};
  size_t random_used = std::tuple_size_v<decltype(random)>;

  void watch_inbox();
  void wait_signal();
};

void Real::Impl::watch_inbox() {
  inbox_event.async_wait(asio::posix::descriptor_base::wait_read, [this](const error_code& problem) {
    if (problem) return;
    try {
      inbox.drain();
    } catch (...) {
      watch_inbox();
      throw;
    }
    watch_inbox();
  });
}

void Real::Impl::wait_signal() {
  signals->async_wait([this](const error_code& problem, int number) {
    if (problem) return;
    on_signal(number);
    wait_signal();
  });
}

Real::Real(RealOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {
  error_code problem;
  impl_->inbox_event.assign(impl_->inbox.descriptor(), problem);
  if (!problem) impl_->watch_inbox();
}

Real::~Real() {
  // Cancelled coroutines are given the chance to end while what they use is still there.
  impl_->context.restart();
  for (int round = 0; round < kLastRounds && impl_->context.poll() > 0; ++round) {
  }
  if (impl_->inbox_event.is_open()) impl_->inbox_event.release();
}

void Real::run() {
  impl_->context.restart();
  for (;;) {
    try {
      impl_->context.run();
      return;
    } catch (const std::exception& thrown) {
      if (impl_->caught) impl_->caught(thrown.what());
    } catch (...) {
      if (impl_->caught) impl_->caught("something that is no std::exception");
    }
  }
}

void Real::on_exception(std::function<void(std::string_view what)> caught) {
  impl_->caught = std::move(caught);
}

void Real::stop() {
  impl_->context.stop();
}

size_t Real::poll() {
  impl_->context.restart();
  return impl_->context.poll();
}

void Real::set_hooks(HookRegistry* hooks) {
  impl_->hooks = hooks;
}

void Real::on_signals(std::vector<int> signals, std::function<void(int signal)> handler) {
  impl_->signals.emplace(impl_->context);
  error_code ignored;
  for (const int number : signals) impl_->signals->add(number, ignored);
  impl_->on_signal = std::move(handler);
  impl_->wait_signal();
}

uint64_t Real::blocking_refused() const {
  return impl_->lane.refused();
}

Instant Real::now() const {
  return Instant(BootClock::now().time_since_epoch() + impl_->offset);
}

Duration Real::wall_offset() const {
  return wall_minus_boot() - impl_->offset;
}

Duration Real::processor_wait() const {
  return impl_->processor_wait.total();
}

uint64_t Real::random() {
  auto& pool = impl_->random;
  if (impl_->random_used == pool.size()) {
    // Up to 256 bytes come whole or not at all.
    if (getrandom(pool.data(), sizeof pool, 0) != static_cast<ssize_t>(sizeof pool)) {
      std::random_device device;
      for (auto& number : pool) number = (static_cast<uint64_t>(device()) << 32) | device();
    }
    impl_->random_used = 0;
  }
  return std::exchange(pool[impl_->random_used++], 0);
}

asio::any_io_executor Real::executor() {
  return impl_->context.get_executor();
}

Awaitable<void> Real::sleep_until(Instant when) {
  BootTimer timer(impl_->context, boot_time(when, impl_->offset));
  co_await timer.async_wait(kTuple);
}

Awaitable<Result<std::vector<Address>>> Real::resolve(std::string host, IpFamily family, Instant deadline) {
  return impl_->resolver.resolve(std::move(host), family, boot_time(deadline, impl_->offset));
}

Awaitable<Result<std::unique_ptr<Stream>>> Real::connect(Address address, uint16_t port, const TlsSettings* tls,
                                                         Instant deadline) {
  ConnectContext context{impl_->context.get_executor(), impl_->offset, impl_->contexts};
  return connect_stream(std::move(context), std::move(address), port, tls, deadline);
}

Awaitable<Result<void>> Real::readable(int descriptor, Instant deadline) {
  Borrowed borrowed(impl_->context);
  error_code problem;
  borrowed->assign(descriptor, problem);
  if (problem) co_return fail(error_from_errno(problem.value(), "waiting for a descriptor"));
  if (deadline == kNever) {
    auto [ended] = co_await borrowed->async_wait(asio::posix::descriptor_base::wait_read, kTuple);
    if (ended) co_return fail(ErrorCode::cancelled, "cancelled while waiting for a descriptor");
    co_return Result<void>();
  }
  Watchdog watchdog(impl_->context.get_executor(), boot_time(deadline, impl_->offset), [&borrowed] {
    error_code ignored;
    borrowed->cancel(ignored);
  });
  auto [ended] = co_await borrowed->async_wait(asio::posix::descriptor_base::wait_read, kTuple);
  if (!ended) co_return Result<void>();
  if (watchdog.expired()) co_return fail(ErrorCode::timeout, "the descriptor was not readable before the deadline");
  co_return fail(ErrorCode::cancelled, "cancelled while waiting for a descriptor");
}

Awaitable<Result<void>> Real::blocking(std::function<void()> work, Instant deadline) {
  return impl_->lane.run(std::move(work), boot_time(deadline, impl_->offset));
}

Inbox& Real::inbox() {
  return impl_->inbox;
}

HookRegistry* Real::hooks() {
  return impl_->hooks;
}

}  // namespace slosonde::io
