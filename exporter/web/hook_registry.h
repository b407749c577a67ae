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
#include "probe/base/secret.h"
#include "probe/io/hooks.h"
#include "probe/io/inbox.h"

namespace slosonde::exporter {

// The closed set of label `result` of slosonde_hook_requests_total.
enum class HookResult : uint8_t { accepted, unauthorised, unknown_path, too_large, timeout, malformed, overflow };
constexpr int kHookResults = 7;
std::string_view name(HookResult result);

struct HookSettings {
  Secret token, hmac_key;
  std::string url;                 // as far as known before the listener is bound
  size_t body_bytes = 0;           // limit of one body
  bool available = false;          // there is a listener for hooks
  bool local = false;              // and it is loopback or a unix socket
  bool shared_with_views = false;  // it is `listen`: the views' paths are taken
};

class WebHooks final : public io::HookRegistry {
 public:
  WebHooks(HookSettings settings, io::Inbox& inbox);
  ~WebHooks() override;

  // Besides `denied`: `bad_config` for a path that is none, for want of a listener, and where nothing would tell
  // senders from strangers. An `authorise` is asked besides the listener's own rule, which holds for every path.
  Result<std::unique_ptr<io::HookRegistration>> listen(std::string path, Authorise authorise, Handler handler) override;
  std::optional<Instant> listening_since() const override;
  std::string url() const override;

  // Before the web thread starts: what the listener knows once it is bound.
  void bound(std::string url, std::function<std::optional<Instant>()> accepting_since);
  // After it ended: what bound() gave is gone.
  void unbound();

  // Web thread.
  Admission admit(const RequestHead& head);
  Response deliver(Request request);
  void count(HookResult result);

  const prometheus::Collectable& counters() const { return registry_; }

 private:
  struct Route;
  struct Table;
  class Registration;

  bool demands_proof() const { return !settings_.token.empty() || !settings_.hmac_key.empty(); }
  Result<void> check_path(const std::string& path, bool has_rule) const;
  bool allows(const Request& request) const;
  Response unauthorised();
  Response unknown(const std::string& path);

  const HookSettings settings_;
  io::Inbox& inbox_;
  std::shared_ptr<Table> table_;  // shared with the registrations, which may end after the server
  mutable std::mutex mutex_;      // of the two below
  std::string url_;
  std::function<std::optional<Instant>()> accepting_since_;
  prometheus::Registry registry_;
  std::array<prometheus::Counter*, kHookResults> counters_{};
};

}  // namespace slosonde::exporter
