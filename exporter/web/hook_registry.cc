#include "exporter/web/hook_registry.h"

#include <utility>

#include "exporter/web/auth.h"
#include "exporter/web/problem.h"
#include "exporter/web/quote.h"

namespace slosonde::exporter {

struct WebHooks::Route {
  Authorise authorise;  // web thread
  Handler handler;      // engine thread; empty once the watch has gone
};

struct WebHooks::Table {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Route>, std::less<>> routes;

  std::shared_ptr<Route> find(std::string_view path) {
    const std::lock_guard lock(mutex);
    const auto found = routes.find(path);
    return found == routes.end() ? nullptr : found->second;
  }
};

class WebHooks::Registration final : public io::HookRegistration {
 public:
  Registration(std::shared_ptr<Table> table, std::string path) : table_(std::move(table)), path_(std::move(path)) {}
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() override {
    std::shared_ptr<Route> route;
    {
      const std::lock_guard lock(table_->mutex);
      const auto node = table_->routes.extract(path_);
      if (!node.empty()) route = node.mapped();
    }
    // Requests that wait in the inbox find it empty; the watch's captures end here, on its own thread.
    if (route) route->handler = nullptr;
  }

 private:
  std::shared_ptr<Table> table_;
  std::string path_;
};

std::string_view name(HookResult result) {
  constexpr std::array<std::string_view, kHookResults> kNames = {
      "accepted", "unauthorised", "unknown_path", "too_large", "timeout", "malformed", "overflow"};
  return kNames[static_cast<size_t>(result)];
}

WebHooks::WebHooks(HookSettings settings, io::Inbox& inbox)
    : settings_(std::move(settings)), inbox_(inbox), table_(std::make_shared<Table>()), url_(settings_.url) {
  auto& family = prometheus::BuildCounter()
                     .Name("slosonde_hook_requests_total")
                     .Help("Requests to the paths of webhook watches by what became of them.")
                     .Register(registry_);
  for (int i = 0; i < kHookResults; ++i) {
    counters_[static_cast<size_t>(i)] =
        &family.Add({{"result", std::string(exporter::name(static_cast<HookResult>(i)))}});
  }
}

WebHooks::~WebHooks() = default;

Result<void> WebHooks::check_path(const std::string& path, bool has_rule) const {
  if (!settings_.available) {
    return fail(ErrorCode::bad_config, "nothing listens for the webhook " + path +
                                           ": `listen` is open to other machines, where hooks are not served; add "
                                           "hooks: {address: …, token_file: …}");
  }
  if (!path.starts_with('/') || path.find_first_of("?# \t\r\n") != std::string::npos) {
    return fail(ErrorCode::bad_config,
                "webhook path \"" + path + "\" must begin with / and hold no blank, question mark or number sign");
  }
  const bool reserved = path == "/" || path == "/metrics" || path.starts_with("/-/") || path.starts_with("/api/") ||
                        path.starts_with("/gate/");
  if (settings_.shared_with_views && reserved) {
    return fail(ErrorCode::bad_config, "webhook path " + path + " is one of the probe's own; choose one like /hooks/…");
  }
  if (!settings_.local && !has_rule && !demands_proof()) {
    return fail(ErrorCode::bad_config, "the webhook " + path +
                                           " is open to other machines and nothing tells its senders from strangers; "
                                           "set hooks.token_file or hooks.hmac_key_file");
  }
  return {};
}

Result<std::unique_ptr<io::HookRegistration>> WebHooks::listen(std::string path, Authorise authorise, Handler handler) {
  const auto sound = check_path(path, static_cast<bool>(authorise));
  if (!sound) return fail(sound.error());
  const auto route = std::make_shared<Route>(Route{std::move(authorise), std::move(handler)});
  {
    const std::lock_guard lock(table_->mutex);
    if (!table_->routes.emplace(path, route).second) {
      return fail(ErrorCode::denied, "two webhook watches want the path " + path + "; give each its own");
    }
  }
  return std::make_unique<Registration>(table_, std::move(path));
}

std::optional<Instant> WebHooks::listening_since() const {
  const std::lock_guard lock(mutex_);
  return accepting_since_ ? accepting_since_() : std::nullopt;
}

std::string WebHooks::url() const {
  const std::lock_guard lock(mutex_);
  return url_;
}

void WebHooks::bound(std::string url, std::function<std::optional<Instant>()> accepting_since) {
  const std::lock_guard lock(mutex_);
  url_ = std::move(url);
  accepting_since_ = std::move(accepting_since);
}

void WebHooks::unbound() {
  const std::lock_guard lock(mutex_);
  accepting_since_ = {};
}

void WebHooks::count(HookResult result) {
  counters_[static_cast<size_t>(result)]->Increment();
}

Admission WebHooks::admit(const RequestHead& head) {
  Admission admission{settings_.body_bytes, true, {}};
  // A signature needs the body; a token does not, and strangers need not send theirs.
  if (!settings_.token.empty() && settings_.hmac_key.empty() && !bears_token(head, settings_.token)) {
    admission.refusal = unauthorised();
  } else if (!demands_proof() && !table_->find(head.path)) {
    admission.refusal = unknown(head.path);
  }
  return admission;
}

bool WebHooks::allows(const Request& request) const {
  return !demands_proof() || bears_token(request.head, settings_.token) ||
         is_signed(request.head, request.body, settings_.hmac_key);
}

Response WebHooks::unauthorised() {
  count(HookResult::unauthorised);
  std::string ways;
  if (!settings_.token.empty()) ways = "a bearer token (Authorization: Bearer …)";
  if (!settings_.hmac_key.empty()) {
    if (!ways.empty()) ways += " or ";
    ways += "a signature of the body (X-Slosonde-Signature: sha256=…)";
  }
  Response response = problem(401, "Hooks need " + ways + ", and this request's is missing or wrong.");
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"slosonde hooks\"");
  return response;
}

Response WebHooks::unknown(const std::string& path) {
  count(HookResult::unknown_path);
  std::string known;
  {
    const std::lock_guard lock(table_->mutex);
    for (const auto& [one, route] : table_->routes) known.append(known.empty() ? "" : ", ").append(one);
  }
  return problem(404, "No webhook watch listens on " + quote(path) +
                          (known.empty() ? "; the configuration names none." : "; there are: " + known + "."));
}

Response WebHooks::deliver(Request request) {
  if (!allows(request)) return unauthorised();
  const auto route = table_->find(request.head.path);
  if (!route) return unknown(request.head.path);
  io::HookRequest hook{std::move(request.head.path), std::move(request.head.headers), std::move(request.body),
                       request.received};
  if (route->authorise) {
    const auto allowed = route->authorise(hook);
    if (!allowed) {
      count(HookResult::unauthorised);
      return problem(401, allowed.error().text);
    }
  }
  size_t bytes = sizeof hook + hook.path.size() + hook.body.size();
  for (const auto& [header, value] : hook.headers) bytes += 2 * sizeof(std::string) + header.size() + value.size();
  const bool kept = inbox_.post(bytes, [route, hook = std::move(hook)]() mutable {
    if (route->handler) route->handler(std::move(hook));
  });
  if (!kept) {
    count(HookResult::overflow);
    Response response = problem(503, "The probe is busy with what has arrived before; send it again later.");
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  count(HookResult::accepted);
  return {202, "application/json", "{\"status\":\"accepted\"}\n", {}};
}

}  // namespace slosonde::exporter
