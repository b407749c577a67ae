// The seam between webhook watches and the web server: watches register paths, the server implements the registry.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/base/result.h"
#include "probe/base/time.h"

namespace slosonde::io {

struct HookRequest {
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  Instant received{};  // when the last byte of the body had arrived
};

// Unregisters at its end. Destroy on the engine thread.
class HookRegistration {
 public:
  virtual ~HookRegistration() = default;
};

class HookRegistry {
 public:
  virtual ~HookRegistry() = default;

  // Runs on the web thread; no error means the caller may speak. Must not touch anything of the engine's.
  using Authorise = std::function<Result<void>(const HookRequest&)>;
  // Runs on the engine thread, soon after the caller got its 202.
  using Handler = std::function<void(HookRequest)>;

  // Any POST or PUT to `path` goes to the handler. An empty `authorise` takes the listener's own token and HMAC rule
  // alone. `denied` when the path is taken. Engine thread.
  virtual Result<std::unique_ptr<HookRegistration>> listen(std::string path, Authorise authorise, Handler handler) = 0;

  // Whether the listener accepts connections: since when without a break; nothing while it does not. Any thread.
  virtual std::optional<Instant> listening_since() const = 0;

  // Where senders reach the registry ("http://127.0.0.1:9466"), for messages. Any thread.
  virtual std::string url() const = 0;
};

}  // namespace slosonde::io
