#include "tests/unit/exporter/fixture.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>
#include <utility>

namespace slosonde::exporter {

ServerTest::ServerTest() {
  // Short: a unix socket's path may have 107 bytes.
  std::string name = "/tmp/slosonde-web-XXXXXX";
  folder_ = ::mkdtemp(name.data());
  options.listen = "127.0.0.1:0";
  options.version = "0.1.0";
  options.config_shown = R"({"probe":{"name":"kr-a-1","key_file":"<secret>"}})";
}

ServerTest::~ServerTest() {
  server_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void ServerTest::start() {
  options.warn = [this](std::string_view what, const std::string& text) {
    const std::lock_guard lock(mutex_);
    warnings_.push_back(std::string(what) + ": " + text);
  };
  WebSources sources{inbox,
                     [this] {
                       if (broken_ > 0 && broken_-- > 0) throw std::bad_alloc();
                       return Instant(Duration(now_.load()));
                     },
                     [this] {
                       if (on_view) on_view();
                       const std::lock_guard lock(mutex_);
                       return snapshot_;
                     },
                     [this](std::string transaction, std::function<void(Result<std::string>)> started) {
                       if (trigger) trigger(std::move(transaction), std::move(started));
                     },
                     [this](std::function<void(ReloadOutcome)> done) {
                       if (reload) reload(std::move(done));
                     },
                     [this](engine::Command one, std::function<void(Result<void>)> done) {
                       if (command) command(std::move(one), std::move(done));
                     }};
  server_ = std::make_unique<WebServer>(options, std::move(sources));
  const auto started = server_->start();
  ASSERT_TRUE(started) << started.error().text;
}

void ServerTest::show(std::shared_ptr<const engine::Snapshot> snapshot) {
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(snapshot);
}

std::vector<std::string> ServerTest::warnings() {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

double ServerTest::metric(const std::string& series) {
  const std::string text = "\n" + get("/metrics").body;
  const size_t found = text.find("\n" + series + " ");
  return found == std::string::npos ? -1 : std::atof(text.c_str() + found + series.size() + 2);
}

bool ServerTest::eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace slosonde::exporter
