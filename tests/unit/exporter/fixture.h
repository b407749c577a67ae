// A web server over a snapshot and a clock that the test sets.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exporter/web/server.h"
#include "probe/io/inbox.h"
#include "tests/unit/exporter/client.h"
#include "tests/unit/exporter/sample.h"

namespace slosonde::exporter {

class ServerTest : public testing::Test {
 protected:
  ServerTest();
  ~ServerTest() override;

  // Listens on a free port of 127.0.0.1 unless the options were changed before.
  void start();
  WebServer& server() { return *server_; }
  std::string at() const { return server_->listen_address(); }
  Answer get(const std::string& path, const std::string& headers = "") { return ask(at(), "GET", path, headers); }

  void show(std::shared_ptr<const engine::Snapshot> snapshot);
  void set_clock(Instant now) { now_ = unix_ns(now); }
  std::string socket_path(const std::string& name) const { return (folder_ / name).string(); }
  // The value of a sample in /metrics; -1: not there.
  double metric(const std::string& series);
  // Waits until the condition holds, at most 20 s.
  static bool eventually(const std::function<bool()>& condition);

  // Calls of the clock that throw std::bad_alloc from now on.
  void break_clock(int calls) { broken_ = calls; }
  // The lines for the log, "what: text".
  std::vector<std::string> warnings();

  WebOptions options;
  // Called on the web thread whenever the snapshot is asked for.
  std::function<void()> on_view;
  io::Inbox inbox{1024 * 1024};
  // Called on the web thread for POST /api/v1/trigger.
  std::function<void(std::string, std::function<void(Result<std::string>)>)> trigger;
  std::function<void(std::function<void(ReloadOutcome)>)> reload;
  // Called on the web thread for every other command.
  std::function<void(engine::Command, std::function<void(Result<void>)>)> command;

 private:
  std::filesystem::path folder_;
  std::atomic<int64_t> now_{unix_ns(sample::kNow)};
  std::atomic<int> broken_{0};
  std::mutex mutex_;
  std::vector<std::string> warnings_;
  std::shared_ptr<const engine::Snapshot> snapshot_ = sample::snapshot();
  std::unique_ptr<WebServer> server_;
};

}  // namespace slosonde::exporter
