#include "exporter/web/hook_registry.h"

#include <utility>

#include "exporter/web/problem.h"
#include "exporter/web/quote.h"

namespace slosonde::exporter {

struct WebHooks::Route {
  Authorise authorise;  // web thread
  Handler handler;      // engine thread; empty once the watch has gone
  uint64_t configuration = 0;
};

struct WebHooks::Table {
  using Tell = std::function<void(const io::HookSight&)>;

  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Route>, std::less<>> routes;
  std::map<std::string, std::shared_ptr<Route>, std::less<>> next;  // they take the place of those above
  uint64_t configuration = 0;
  std::map<std::string, Tell, std::less<>> asked;  // by path: at most one question each
  std::function<void()> wake;                      // empty while there is no web thread

  // Makes `route` the one of `path`, if it waits for that.
  void promote(const std::string& path, const std::shared_ptr<Route>& route) {
    const auto waiting = next.find(path);
    if (waiting == next.end() || waiting->second != route) return;
    routes[path] = route;
    next.erase(waiting);
  }

  // It is gone, and whatever waits for its place has it.
  void remove(const std::string& path, const std::shared_ptr<Route>& route) {
    const auto waiting = next.find(path);
    if (waiting != next.end() && waiting->second == route) next.erase(waiting);
    const auto taken = routes.find(path);
    if (taken == routes.end() || taken->second != route) return;
    routes.erase(taken);
    asked.erase(path);
    if (const auto after = next.extract(path); !after.empty()) routes.emplace(path, after.mapped());
  }

  std::shared_ptr<Route> find(std::string_view path) {
    const std::lock_guard lock(mutex);
    const auto found = routes.find(path);
    return found == routes.end() ? nullptr : found->second;
  }
};

class WebHooks::Registration final : public io::HookRegistration {
 public:
  Registration(std::shared_ptr<Table> table, std::string path, std::shared_ptr<Route> route)
      : table_(std::move(table)), path_(std::move(path)), route_(std::move(route)) {}
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() override {
    {
      const std::lock_guard lock(table_->mutex);
      table_->remove(path_, route_);
    }
    // Requests that wait in the inbox find it empty; the watch's captures end here, on its own thread.
    route_->handler = nullptr;
  }

  void ask(std::function<void(const io::HookSight&)> tell) override {
    const std::lock_guard lock(table_->mutex);
    table_->promote(path_, route_);
    if (!table_->wake) return;
    table_->asked[path_] = std::move(tell);
    table_->wake();
  }

 private:
  std::shared_ptr<Table> table_;
  std::string path_;
  std::shared_ptr<Route> route_;
};

std::string_view name(HookResult result) {
  constexpr std::array<std::string_view, kHookResults> kNames = {
      "accepted", "unauthorised", "unknown_path", "too_large", "timeout", "malformed", "overflow"};
  return kNames[static_cast<size_t>(result)];
}

std::string_view name(HookBreak why) {
  constexpr std::array<std::string_view, kHookBreaks> kNames = {"no_descriptors", "connections", "bodies",   "inbox",
                                                                "stood_still",    "way_in",      "exception"};
  return kNames[static_cast<size_t>(why)];
}

namespace {

constexpr size_t kNonceBytes = 256;  // more than one has

std::string sentence(HookBreak why, std::string_view detail) {
  const auto text = [&]() -> std::string_view {
    switch (why) {
      case HookBreak::no_descriptors:
        return "slosonde had no file descriptor left to take callers in with; raise its limit (ulimit -n)";
      case HookBreak::connections:
        return "there were too many connections at once, and one that may have carried a call was cut";
      case HookBreak::bodies:
        return "the bodies that arrived at once were too large together, and a sender was told to come again";
      case HookBreak::inbox:
        return "too much arrived at once, and a sender was told to come again";
      case HookBreak::stood_still:
        return "slosonde stood still, and senders may have given up";
      case HookBreak::way_in:
        return "what was sent to the external URL did not arrive";
      case HookBreak::exception:
        break;
    }
    return "slosonde made a mistake of its own, or had no memory left";
  };
  std::string made(text());
  if (!detail.empty()) made.append(" (").append(detail).append(")");
  return made;
}

}  // namespace

WebHooks::WebHooks(HookSettings settings, io::Inbox& inbox, std::function<Instant()> now,
                   prometheus::Registry& registry, Trouble& trouble)
    : settings_(std::move(settings)),
      inbox_(inbox),
      now_(std::move(now)),
      trouble_(trouble),
      table_(std::make_shared<Table>()),
      url_(settings_.url),
      way_in_([this] { breaks_[static_cast<size_t>(HookBreak::way_in)]->Increment(); }, settings_.warn) {
  auto& family = prometheus::BuildCounter()
                     .Name("slosonde_hook_requests_total")
                     .Help("Requests to the paths of webhook watches by what became of them.")
                     .Register(registry);
  for (int i = 0; i < kHookResults; ++i) {
    counters_[static_cast<size_t>(i)] =
        &family.Add({{"result", std::string(exporter::name(static_cast<HookResult>(i)))}});
  }
  auto& breaks =
      prometheus::BuildCounter()
          .Name("slosonde_hook_sight_breaks_total")
          .Help(
              "How often a webhook call may have been turned away by a fault of slosonde's own, or (way_in) have "
              "been lost on its way from hooks.external_url.")
          .Register(registry);
  for (int i = 0; i < kHookBreaks; ++i) {
    breaks_[static_cast<size_t>(i)] = &breaks.Add({{"reason", std::string(exporter::name(static_cast<HookBreak>(i)))}});
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
  if ((settings_.shared_with_views && reserved) || is_way_in(path)) {
    return fail(ErrorCode::bad_config, "webhook path " + path + " is one of the probe's own; choose one like /hooks/…");
  }
  if (!settings_.local && !has_rule && !settings_.proof.demanded()) {
    return fail(ErrorCode::bad_config, "the webhook " + path +
                                           " is open to other machines and nothing tells its senders from strangers; "
                                           "set hooks.token_file or hooks.hmac_key_file");
  }
  return {};
}

Result<std::unique_ptr<io::HookRegistration>> WebHooks::listen(std::string path, Authorise authorise, Handler handler) {
  const auto sound = check_path(path, static_cast<bool>(authorise));
  if (!sound) return fail(sound.error());
  auto route = std::make_shared<Route>(Route{std::move(authorise), std::move(handler)});
  {
    const std::lock_guard lock(table_->mutex);
    route->configuration = table_->configuration;
    const auto [taken, is_free] = table_->routes.emplace(path, route);
    const bool of_another = !is_free && taken->second->configuration != route->configuration;
    if (!is_free && (!of_another || !table_->next.emplace(path, route).second)) {
      return fail(ErrorCode::denied, "two webhook watches want the path " + path + "; give each its own");
    }
  }
  return std::make_unique<Registration>(table_, std::move(path), std::move(route));
}

void WebHooks::begin_anew() {
  const std::lock_guard lock(table_->mutex);
  ++table_->configuration;
}

std::optional<Instant> WebHooks::listening_since() const {
  const std::lock_guard lock(mutex_);
  return accepting_since_ ? accepting_since_() : std::nullopt;
}

std::string WebHooks::url() const {
  const std::lock_guard lock(mutex_);
  return url_;
}

void WebHooks::bound(std::string url, std::function<std::optional<Instant>()> accepting_since,
                     std::function<void()> wake) {
  {
    const std::lock_guard lock(mutex_);
    url_ = std::move(url);
    accepting_since_ = std::move(accepting_since);
  }
  const std::lock_guard lock(table_->mutex);
  table_->wake = std::move(wake);
}

void WebHooks::unbound() {
  {
    const std::lock_guard lock(mutex_);
    accepting_since_ = {};
  }
  const std::lock_guard lock(table_->mutex);
  table_->wake = {};
  table_->asked.clear();
}

void WebHooks::count(HookResult result) {
  counters_[static_cast<size_t>(result)]->Increment();
}

void WebHooks::broke(HookBreak why, std::string_view detail) {
  broken_at_ = std::max(broken_at_, now_());
  breaks_[static_cast<size_t>(why)]->Increment();
  broken_ = {why == HookBreak::no_descriptors ? ErrorCode::no_descriptors : ErrorCode::busy, sentence(why, detail)};
}

io::HookSight WebHooks::sight(Instant quiet) {
  const auto since = listening_since();
  // While nobody is taken in, the break goes on.
  if (!since) return {quiet, quiet, broken_};
  return way_in_.narrow({std::max(*since, broken_at_), quiet, broken_});
}

void WebHooks::answer(Instant quiet) {
  decltype(Table::asked) asked;
  {
    const std::lock_guard lock(table_->mutex);
    if (table_->asked.empty()) return;
    asked.swap(table_->asked);
  }
  const io::HookSight told = sight(quiet);
  for (auto& [path, tell] : asked) {
    inbox_.post(sizeof told + told.broken.text.size(), [tell = std::move(tell), told] { tell(told); });
  }
}

Admission WebHooks::admit(const RequestHead& head) {
  Admission admission{is_way_in(head.path) ? kNonceBytes : settings_.body_bytes, true, {}};
  // A signature needs the body; a token does not, and strangers need not send theirs.
  if (settings_.proof.by_headers_alone() && !settings_.proof.bears_token(head.headers)) {
    admission.refusal = unproven(head.path);
  } else if (!settings_.proof.demanded() && !is_way_in(head.path) && !table_->find(head.path)) {
    admission.refusal = unknown(head.path);
  }
  return admission;
}

Response WebHooks::unauthorised(const std::string& path, const std::string& why) {
  count(HookResult::unauthorised);
  trouble_.refused(table_->find(path) ? path : std::string(), 401, why);
  Response response = problem(401, why);
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"slosonde hooks\"");
  return response;
}

Response WebHooks::unproven(const std::string& path) {
  return unauthorised(path, "Hooks need " + settings_.proof.ways() + ", and this request's is missing or wrong.");
}

Response WebHooks::unknown(const std::string& path) {
  count(HookResult::unknown_path);
  std::string known;
  {
    const std::lock_guard lock(table_->mutex);
    for (const auto& [one, route] : table_->routes) known.append(known.empty() ? "" : ", ").append(one);
  }
  const std::string why = "No webhook watch listens on " + quote(path) +
                          (known.empty() ? "; the configuration names none." : "; there are: " + known + ".");
  trouble_.refused({}, 404, why);
  return problem(404, why);
}

// No call of a watch's, and counted as none.
Response WebHooks::came_in(const Request& request) {
  if (way_in_.arrived(request.body, request.not_before, request.received))
    return {202, "application/json", "{\"status\":\"arrived\"}\n", {}};
  return problem(404, "This is not what this process has sent, or it comes too late.");
}

Response WebHooks::deliver(Request request) {
  if (!settings_.proof.holds(request.head.headers, request.body)) return unproven(request.head.path);
  if (is_way_in(request.head.path)) return came_in(request);
  const auto route = table_->find(request.head.path);
  if (!route) return unknown(request.head.path);
  io::HookRequest hook{std::move(request.head.path), std::move(request.head.headers), std::move(request.body),
                       request.received, request.not_before};
  if (route->authorise) {
    const auto allowed = route->authorise(hook);
    if (!allowed) return unauthorised(hook.path, allowed.error().text);
  }
  size_t bytes = sizeof hook + hook.path.size() + hook.body.size();
  for (const auto& [header, value] : hook.headers) bytes += 2 * sizeof(std::string) + header.size() + value.size();
  const bool kept = inbox_.post(bytes, [route, hook = std::move(hook)]() mutable {
    if (route->handler) route->handler(std::move(hook));
  });
  if (!kept) {
    count(HookResult::overflow);
    broke(HookBreak::inbox);
    Response response = problem(503, "The probe is busy with what has arrived before; send it again later.");
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  count(HookResult::accepted);
  return {202, "application/json", "{\"status\":\"accepted\"}\n", {}};
}

}  // namespace slosonde::exporter
