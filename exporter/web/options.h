// What the web server is told at its start. Plain data; owned by whoever makes the server, copied into it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/web/trouble.h"
#include "probe/base/result.h"
#include "probe/base/secret.h"
#include "probe/base/time.h"
#include "probe/config/config.h"
#include "probe/engine/core.h"
#include "probe/engine/snapshot.h"
#include "probe/io/inbox.h"

namespace slosonde::exporter {

// Bounds on what a client may cost. Sizes in bytes; a connection has one request at a time.
struct WebLimits {
  size_t header_bytes = 16 * 1024;           // request line and headers; more: 431
  size_t body_bytes = 64 * 1024;             // of every request that is no hook; more: 413
  size_t hook_body_bytes = 4 * 1024 * 1024;  // more: 413
  size_t bodies_bytes = 64 * 1024 * 1024;    // of all hook bodies being received at one time; more: 503
  size_t connections = 512;                  // a listener; at one more, the one that waits longest for its client goes
  Duration request = std::chrono::seconds(10);   // from a connection's start, or a request's first byte, to its last
  Duration handshake = std::chrono::seconds(5);  // of TLS, from a connection's start
  Duration idle = std::chrono::seconds(75);      // between two requests of a connection
  Duration response = std::chrono::seconds(30);  // from an answer's first byte to its last
  Duration trigger = std::chrono::seconds(10);   // for the engine to take a command
  Duration reload = std::chrono::seconds(20);    // for a new configuration to be read and come into force
  Duration linger = std::chrono::seconds(2);     // for reading what a refused client still sends
};

struct WebOptions {
  // Addresses: "127.0.0.1:9465", "[::]:9465", "localhost:9465", "unix:/run/x.sock". Port 0 takes a free one; see
  // WebServer's bound addresses.
  std::string listen;
  std::optional<std::string> hooks;  // none: on `listen` where that is loopback or a unix socket, else no hooks
  std::optional<std::string> admin;  // none: no commands

  std::optional<config::WebFile> listen_web;  // TLS and users of `listen`; none: plain HTTP, open to all who reach it

  Secret hook_token, hook_hmac_key;  // either one suffices where both are set; empty: not demanded
  Secret admin_token;                // must be set where `admin` is neither loopback nor a unix socket
  std::string external_url;          // where senders reach the hooks; empty: the bound address

  std::string version;       // of slosonde, for build_info and the page
  std::string config_shown;  // JSON of config::Values::shown(), served as it is
  WebLimits limits;
  Warn warn;  // where lines for the log go; empty: nowhere
};

WebOptions web_options(const config::Config& config, std::string version);

// What came of a reload.
struct ReloadOutcome {
  Error error;                     // none: done. busy: another one is under way; bad_config: refused, all as before
  std::vector<std::string> lines;  // what has changed, one a line; refused: every mistake
};

// Where the server's answers come from. Called on the web thread; each must be safe there, and none may block.
struct WebSources {
  io::Inbox& inbox;  // hooks go through it to the engine thread
  std::function<Instant()> now;
  std::function<std::shared_ptr<const engine::Snapshot>()> snapshot;  // may be null until the engine has one
  // engine::Service::trigger: `started` may be called on any thread, once, even after the server has gone.
  std::function<void(std::string transaction, std::function<void(Result<std::string>)> started)> trigger;
  // Reads the configuration anew; `done` as above.
  std::function<void(std::function<void(ReloadOutcome)> done)> reload;
  // engine::Service::command; `done` as above.
  std::function<void(engine::Command command, std::function<void(Result<void>)> done)> command;
};

}  // namespace slosonde::exporter
