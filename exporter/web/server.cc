#include "exporter/web/server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/web/address.h"
#include "exporter/web/commands.h"
#include "exporter/web/hook_registry.h"
#include "exporter/web/listener.h"
#include "exporter/web/role.h"
#include "exporter/web/views.h"

namespace slosonde::exporter {

namespace asio = boost::asio;

namespace {

bool is_local(const std::string& text) {
  const auto address = parse_address(text);
  return address && address->is_local();
}

HookSettings hook_settings(const WebOptions& options) {
  const bool listen_is_local = is_local(options.listen);
  HookSettings settings{options.hook_token, options.hook_hmac_key, options.external_url,
                        options.limits.hook_body_bytes};
  settings.available = options.hooks || listen_is_local;
  settings.local = options.hooks ? is_local(*options.hooks) : listen_is_local;
  settings.shared_with_views = !options.hooks;
  if (settings.url.empty()) settings.url = "http://" + options.hooks.value_or(options.listen);
  return settings;
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(WebOptions options, WebSources sources)
      : options_(std::move(options)),
        sources_(std::move(sources)),
        hooks_(hook_settings(options_), sources_.inbox),
        views_(options_, sources_, hooks_),
        commands_(context_, options_, sources_),
        shared_{context_, options_.limits, sources_.now} {}

  Result<void> start() {
    auto opened = open_all();
    if (!opened) {
      listeners_.clear();
      roles_.clear();
      listen_ = hooks_listener_ = admin_ = nullptr;
      return opened;
    }
    announce_hooks();
    for (const auto& listener : listeners_) listener->start();
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

  void stop() {
    if (!thread_.joinable()) return;
    hooks_.unbound();
    commands_.stop();
    asio::post(context_, [this] {
      for (const auto& listener : listeners_) listener->close();
      context_.stop();  // what is still under way has nobody left to answer
    });
    thread_.join();
    listeners_.clear();
    listen_ = hooks_listener_ = admin_ = nullptr;
  }

  WebHooks& hooks() { return hooks_; }
  std::string listen_address() const { return listen_ ? listen_->bound() : ""; }
  std::string hooks_address() const { return hooks_listener_ ? hooks_listener_->bound() : ""; }
  std::string admin_address() const { return admin_ ? admin_->bound() : ""; }

 private:
  Result<Listener*> open(const std::string& address, std::string_view role, RoleParts parts) {
    auto site = std::make_unique<Role>(std::move(parts), options_.limits);
    auto listener = Listener::open(address, role, *site, shared_);
    if (!listener) return fail(listener.error());
    roles_.push_back(std::move(site));
    listeners_.push_back(std::move(*listener));
    return listeners_.back().get();
  }

  Result<void> open_all() {
    const bool hooks_on_listen = !options_.hooks && is_local(options_.listen);
    auto listen = open(options_.listen, "listen", {&views_, hooks_on_listen ? &hooks_ : nullptr, nullptr, {}, false});
    if (!listen) return fail(listen.error());
    listen_ = *listen;
    if (hooks_on_listen) hooks_listener_ = listen_;
    if (options_.hooks) {
      auto hooks = open(*options_.hooks, "hooks", {nullptr, &hooks_, nullptr, {}, false});
      if (!hooks) return fail(hooks.error());
      hooks_listener_ = *hooks;
    }
    return options_.admin ? open_admin() : Result<void>();
  }

  Result<void> open_admin() {
    const auto address = parse_address(*options_.admin);
    if (!address) return fail(address.error().code, "admin: " + address.error().text);
    if (options_.admin_token.empty() && !address->is_local()) {
      return fail(ErrorCode::bad_config, "admin address " + *options_.admin +
                                             " is open to other machines and needs a token: set admin.token_file, or "
                                             "listen on loopback or a unix socket");
    }
    const bool own_host_only = options_.admin_token.empty() && !address->is_unix();
    auto admin = open(*options_.admin, "admin", {&views_, nullptr, &commands_, options_.admin_token, own_host_only});
    if (!admin) return fail(admin.error());
    admin_ = *admin;
    return {};
  }

  void announce_hooks() {
    if (!hooks_listener_) return;
    std::string url = options_.external_url;
    if (url.empty()) url = hooks_listener_->is_unix() ? hooks_listener_->bound() : "http://" + hooks_listener_->bound();
    hooks_.bound(std::move(url), [listener = hooks_listener_] { return listener->accepting_since(); });
  }

  const WebOptions options_;
  const WebSources sources_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
  WebHooks hooks_;
  Views views_;
  Commands commands_;
  ListenerShared shared_;
  std::vector<std::unique_ptr<Role>> roles_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  Listener* listen_ = nullptr;
  Listener* hooks_listener_ = nullptr;  // may be listen_
  Listener* admin_ = nullptr;
  std::thread thread_;
};

WebServer::WebServer(WebOptions options, WebSources sources)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(sources))) {}

WebServer::~WebServer() {
  try {
    stop();
  } catch (...) {  // join() is allowed to throw, and does not for a thread that was joinable
  }
}

Result<void> WebServer::start() {
  return impl_->start();
}

void WebServer::stop() {
  impl_->stop();
}

io::HookRegistry& WebServer::hooks() {
  return impl_->hooks();
}

std::string WebServer::listen_address() const {
  return impl_->listen_address();
}
std::string WebServer::hooks_address() const {
  return impl_->hooks_address();
}
std::string WebServer::admin_address() const {
  return impl_->admin_address();
}

}  // namespace slosonde::exporter
