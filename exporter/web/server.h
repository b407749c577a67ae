// The web server: metrics, health, views, hooks and commands, on a thread of its own, from an immutable snapshot, so
// that it answers even while the engine is stuck, and says so. An exception (a mistake, or no memory left) costs the
// request in hand, which gets a 500, and never the thread.
//
// On loopback a view or command is refused with 403 when Host is a name other than localhost (DNS rebinding). A
// listener open to others, such as a sidecar's 0.0.0.0, is called by many names and takes any.
//
// Three roles, each a listener with its own connections:
//   listen  GET /metrics, /-/healthy, /-/ready, /, /api/v1/… (api.h has the shapes); reads only
//   hooks   POST or PUT to the paths of webhook watches
//   admin   what `listen` has, and POST /api/v1/trigger {"transaction": "…"} (Content-Type: application/json), which
//           answers 202 {"run": "<marker>"}; 404 no such transaction, 503 too much in flight or no answer from the
//           engine; POST /-/reload, which answers 200 {"changes": ["…"]} once the new configuration is in force; 422
//           with all `mistakes`, 409 while another reload is under way
// Errors are application/problem+json (RFC 9457).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/web/options.h"
#include "exporter/web/trouble.h"
#include "probe/base/result.h"
#include "probe/io/hooks.h"

namespace slosonde::exporter {

class WayIn;

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
  // Null without an external URL. Any thread.
  WayIn* way_in();
  // See WebHooks.
  void begin_anew();

  // Any thread. Calls of webhooks that were refused, by path; that of no watch's path is the one of all others.
  std::vector<RefusedCalls> refused_calls() const;
  // Any thread. Counts and tells of an exception that was caught in the engine's loop.
  void engine_threw(std::string_view what) noexcept;

  // As bound, in the form the options take ("127.0.0.1:41234"); empty before start() and for a role without a listener.
  std::string listen_address() const;
  std::string hooks_address() const;
  std::string admin_address() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slosonde::exporter
