// The hook registry of the web server: what arrives for a webhook watch is checked on the web thread and handed to the
// engine thread through its inbox.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "exporter/web/request.h"
#include "exporter/web/trouble.h"
#include "exporter/web/way_in.h"
#include "probe/base/secret.h"
#include "probe/io/hook_proof.h"
#include "probe/io/hooks.h"
#include "probe/io/inbox.h"

namespace slosonde::exporter {

// The closed set of label `result` of slosonde_hook_requests_total.
enum class HookResult : uint8_t { accepted, unauthorised, unknown_path, too_large, timeout, malformed, overflow };
constexpr int kHookResults = 7;
std::string_view name(HookResult result);

// What broke the sight (see io::HookSight); the closed set of label `reason` of slosonde_hook_sight_breaks_total.
enum class HookBreak : uint8_t { no_descriptors, connections, bodies, inbox, stood_still, way_in, exception };
constexpr int kHookBreaks = 7;
std::string_view name(HookBreak why);

struct HookSettings {
  io::HookProof proof{{}, {}};
  std::string url;                 // as far as known before the listener is bound
  size_t body_bytes = 0;           // limit of one body
  bool available = false;          // there is a listener for hooks
  bool local = false;              // and it is loopback or a unix socket
  bool shared_with_views = false;  // it is `listen`: the views' paths are taken
  bool external = false;           // `url` is where it can be reached from outside: the way in is watched
  Warn warn = {};                  // may be empty
};

class WebHooks final : public io::HookRegistry {
 public:
  WebHooks(HookSettings settings, io::Inbox& inbox, std::function<Instant()> now, prometheus::Registry& registry,
           Trouble& trouble);
  ~WebHooks() override;

  // Besides `denied`: `bad_config` for a path that is none, for want of a listener, and where nothing would tell
  // senders from strangers. An `authorise` is asked besides the listener's own rule, which holds for every path.
  Result<std::unique_ptr<io::HookRegistration>> listen(std::string path, Authorise authorise, Handler handler) override;
  // Another configuration is about to ask for its paths. One that is taken may be asked for once more: calls go to the
  // one before until the new one asks what can be vouched for. Engine thread.
  void begin_anew();
  std::optional<Instant> listening_since() const override;
  std::string url() const override;
  // Null where no external URL is known: nobody can look. Any thread.
  WayIn* way_in() { return settings_.external ? &way_in_ : nullptr; }
  std::optional<WayInTrouble> way_in_trouble() const { return way_in_.trouble(); }

  // Before the web thread starts: what the listener knows once it is bound, and how to end the web thread's wait.
  void bound(std::string url, std::function<std::optional<Instant>()> accepting_since, std::function<void()> wake);
  // After it ended: what bound() gave is gone.
  void unbound();

  // Web thread.
  Admission admit(const RequestHead& head);
  Response deliver(Request request);
  void count(HookResult result);
  // Something that may have been for a watch was turned away now, by our own fault. `detail` may be empty.
  void broke(HookBreak why, std::string_view detail = {});
  // Everything that had arrived by `quiet` was handed over: tells whoever has asked.
  void answer(Instant quiet);

 private:
  struct Route;
  struct Table;
  class Registration;

  bool is_way_in(std::string_view path) const { return settings_.external && path == kWayInPath; }
  Result<void> check_path(const std::string& path, bool has_rule) const;
  Response unauthorised(const std::string& path, const std::string& why);
  Response unproven(const std::string& path);
  Response unknown(const std::string& path);
  Response came_in(const Request& request);
  io::HookSight sight(Instant quiet);

  const HookSettings settings_;
  io::Inbox& inbox_;
  const std::function<Instant()> now_;
  Trouble& trouble_;
  std::shared_ptr<Table> table_;  // shared with the registrations, which may end after the server
  mutable std::mutex mutex_;      // of the two below
  std::string url_;
  std::function<std::optional<Instant>()> accepting_since_;
  std::array<prometheus::Counter*, kHookResults> counters_{};
  std::array<prometheus::Counter*, kHookBreaks> breaks_{};
  WayIn way_in_;
  Instant broken_at_ = Instant::min();  // web thread, as is the next
  Error broken_;
};

}  // namespace slosonde::exporter
