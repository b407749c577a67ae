// A whole probe in this process: world, web server and engine, in the order in which they must start and end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "exporter/web/server.h"
#include "probe/config/config.h"
#include "probe/engine/service.h"
#include "probe/io/real.h"

namespace slosonde::cli {

struct InstanceOptions {
  exporter::WebOptions web;
  engine::ServiceOptions service;
};

// One thread, which is then the engine thread: make, start, turn and end it there.
class Instance {
 public:
  // Makes checks and watches; their mistakes as those of the configuration.
  static tl::expected<std::unique_ptr<Instance>, config::Problems> make(const config::Config& config,
                                                                        InstanceOptions options);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  io::Real& world() { return world_; }
  exporter::WebServer& web() { return *web_; }
  engine::Service& service() { return *service_; }

  // What POST /-/reload does from now on; until then it is refused. Engine thread, as the call will be.
  using Reload = std::function<void(std::function<void(exporter::ReloadOutcome)>)>;
  void on_reload(Reload reload) { reload_ = std::move(reload); }

  // Ends run() from within it.
  void drain(Duration grace);
  // Turns until drained.
  void run();

 private:
  Instance() = default;
  // Asio's coroutines must be started and cancelled from within the loop: from without, co_spawn's cancellation is
  // posted with a bare pointer, and finds nothing where the coroutine was quicker to end.
  void in_the_loop(const std::function<void()>& work);

  void post_reload(std::function<void(exporter::ReloadOutcome)> done);

  io::Real world_;
  Reload reload_;
  std::unique_ptr<exporter::WebServer> web_;
  std::unique_ptr<engine::Service> service_;
};

}  // namespace slosonde::cli
