#include "probe/cli/instance.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "checks/catalog.h"
#include "probe/engine/equip.h"

namespace slosonde::cli {

tl::expected<std::unique_ptr<Instance>, config::Problems> Instance::make(const config::Config& config,
                                                                         InstanceOptions options) {
  std::unique_ptr<Instance> made(new Instance);
  Instance& self = *made;
  // The web server is asked for views only once it has started, and that is after the service was made.
  exporter::WebSources sources{
      self.world_.inbox(),
      [&self] { return self.world_.now(); },
      [&self] { return self.service_->snapshot(); },
      [&self](const std::string& transaction, const std::function<void(Result<std::string>)>& started) {
        self.service_->trigger(transaction, started);
      },
      [&self](std::function<void(exporter::ReloadOutcome)> done) { self.post_reload(std::move(done)); },
      [&self](const engine::Command& command, const std::function<void(Result<void>)>& done) {
        self.service_->command(command, done);
      }};
  self.web_ = std::make_unique<exporter::WebServer>(std::move(options.web), std::move(sources));
  self.world_.set_hooks(&self.web_->hooks());
  self.world_.on_exception([&self](std::string_view what) { self.web_->engine_threw(what); });
  std::optional<config::Problems> problems;
  self.in_the_loop([&] {
    auto equipment = engine::equip(config, checks::catalog(), self.world_);
    if (!equipment) {
      problems = std::move(equipment.error());
    } else {
      self.service_ = std::make_unique<engine::Service>(self.world_, std::move(*equipment), std::move(options.service));
    }
  });
  if (problems) return tl::unexpected(std::move(*problems));
  return made;
}

Instance::~Instance() {
  if (web_) web_->stop();
  // What was cancelled ends in the same turn: coroutines hold checks and watches, which must go before the registry of
  // hooks.
  try {
    in_the_loop([this] { service_.reset(); });
  } catch (...) {
    // For want of memory: then the service ends outside the loop, as a member.
  }
}

void Instance::post_reload(std::function<void(exporter::ReloadOutcome)> done) {
  const bool posted = world_.inbox().post(sizeof done, [this, done] {
    if (reload_) return reload_(done);
    done({{ErrorCode::busy, "the probe has only just begun; come again in a moment"}, {}});
  });
  if (!posted) done({{ErrorCode::busy, "the probe's inbox is full; come again later"}, {}});
}

void Instance::in_the_loop(const std::function<void()>& work) {
  bool done = false;
  boost::asio::post(world_.executor(), [&] {
    work();
    done = true;
  });
  while (!done) world_.poll();
  world_.poll();
}

void Instance::drain(Duration grace) {
  service_->drain(grace, [this] { world_.stop(); });
}

void Instance::run() {
  world_.run();
}

}  // namespace slosonde::cli
