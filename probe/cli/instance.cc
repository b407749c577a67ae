#include "probe/cli/instance.h"

#include <utility>

#include "checks/catalog.h"
#include "probe/engine/equip.h"

namespace slosonde::cli {

tl::expected<std::unique_ptr<Instance>, config::Problems> Instance::make(const config::Config& config,
                                                                         InstanceOptions options) {
  std::unique_ptr<Instance> made(new Instance);
  Instance& self = *made;
  // The web server is asked for views only once it has started, and that is after the service was made.
  exporter::WebSources sources{self.world_.inbox(), [&self] { return self.world_.now(); },
                               [&self] { return self.service_->snapshot(); },
                               [&self](std::string transaction, std::function<void(Result<std::string>)> started) {
                                 self.service_->trigger(std::move(transaction), std::move(started));
                               }};
  self.web_ = std::make_unique<exporter::WebServer>(std::move(options.web), std::move(sources));
  self.world_.set_hooks(&self.web_->hooks());
  auto equipment = engine::equip(config, checks::catalog(), self.world_);
  if (!equipment) return tl::unexpected(std::move(equipment.error()));
  self.service_ = std::make_unique<engine::Service>(self.world_, std::move(*equipment), std::move(options.service));
  return made;
}

Instance::~Instance() {
  if (web_) web_->stop();
  service_.reset();
  // What was cancelled ends: coroutines hold checks and watches, which must go before the registry of hooks.
  world_.poll();
}

void Instance::drain(Duration grace) {
  service_->drain(grace, [this] { world_.stop(); });
}

void Instance::run() {
  world_.run();
}

}  // namespace slosonde::cli
