// The web server: metrics, health, views, hooks and commands, on a thread of its own, from an immutable snapshot, so
// that it answers even while the engine is stuck, and says so.
//
// Three roles, each a listener with its own connections:
//   listen  GET /metrics, /-/healthy, /-/ready, /, /api/v1/… (api.h has the shapes); reads only
//   hooks   POST or PUT to the paths of webhook watches
//   admin   what `listen` has, and POST /api/v1/trigger {"transaction": "…"} (Content-Type: application/json), which
//           answers 202 {"run": "<marker>"}; 404 no such transaction, 503 too much in flight or no answer from the
//           engine
// Errors are application/problem+json (RFC 9457).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "exporter/web/options.h"
#include "probe/base/result.h"
#include "probe/io/hooks.h"

namespace slosonde::exporter {

// Owned by main. What `sources` refer to must outlive it, and hook registrations must end before it does. Made, started
// and ended on one thread; hooks() may be used before start().
class WebServer {
 public:
  WebServer(WebOptions options, WebSources sources);
  ~WebServer();  // stops
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  // Binds every listener, then starts the thread; nothing is left behind on an error. Codes: bad_config (an address
  // that cannot be meant, an admin listener that needs a token), denied, busy (address in use), io_failed.
  Result<void> start();
  // Stops accepting, cuts what is open, ends the thread, removes unix sockets, for good. Again: nothing.
  void stop();

  io::HookRegistry& hooks();

  // As bound, in the form the options take ("127.0.0.1:41234"); empty before start() and for a role without a listener.
  std::string listen_address() const;
  std::string hooks_address() const;
  std::string admin_address() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slosonde::exporter
