// The real world, of which whole minutes can be missed: everything of ours stands still meanwhile, as while a process
// is stopped.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "probe/io/real.h"

namespace slosonde::checks::test {

// The real one turns the loop, and outlives it. Instants are this one's.
class LateIo final : public io::Io {
 public:
  explicit LateIo(io::Real& real) : real_(real) {}

  void miss(Duration time) { missed_ += time; }

  Instant now() const override { return real_.now() + missed_; }
  Duration wall_offset() const override { return real_.wall_offset(); }
  uint64_t random() override { return real_.random(); }
  Duration processor_wait() const override { return real_.processor_wait(); }
  boost::asio::any_io_executor executor() override { return real_.executor(); }
  io::Awaitable<void> sleep_until(Instant when) override { return real_.sleep_until(when - missed_); }
  io::Awaitable<Result<std::vector<io::Address>>> resolve(std::string host, io::IpFamily family,
                                                          Instant deadline) override {
    return real_.resolve(std::move(host), family, deadline - missed_);
  }
  io::Awaitable<Result<std::unique_ptr<io::Stream>>> connect(io::Address address, uint16_t port,
                                                             const io::TlsSettings* tls, Instant deadline) override {
    return real_.connect(std::move(address), port, tls, deadline - missed_);
  }
  io::Awaitable<Result<void>> readable(int descriptor, Instant deadline) override {
    return real_.readable(descriptor, deadline - missed_);
  }
  io::Awaitable<Result<void>> blocking(std::function<void()> work, Instant deadline) override {
    return real_.blocking(std::move(work), deadline - missed_);
  }
  io::Inbox& inbox() override { return real_.inbox(); }
  io::HookRegistry* hooks() override { return real_.hooks(); }

 private:
  io::Real& real_;
  Duration missed_{};
};

}  // namespace slosonde::checks::test
