#include "exporter/web/server.h"

#include <signal.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/web/address.h"
#include "exporter/web/attention.h"
#include "exporter/web/basic_auth.h"
#include "exporter/web/commands.h"
#include "exporter/web/hook_registry.h"
#include "exporter/web/listener.h"
#include "exporter/web/role.h"
#include "exporter/web/tls_acceptor.h"
#include "exporter/web/views.h"
#include "probe/config/network.h"

namespace slosonde::exporter {

namespace asio = boost::asio;

namespace {

bool has_tls(const WebOptions& options) {
  return options.listen_web && options.listen_web->tls;
}

std::string hooks_scheme(const WebOptions& options) {
  return !options.hooks && has_tls(options) ? "https://" : "http://";
}

HookSettings hook_settings(const WebOptions& options) {
  const bool listen_is_local = config::is_local(options.listen);
  HookSettings settings{io::HookProof(options.hook_token, options.hook_hmac_key), options.external_url,
                        options.limits.hook_body_bytes};
  settings.available = options.hooks || listen_is_local;
  settings.local = options.hooks ? config::is_local(*options.hooks) : listen_is_local;
  settings.shared_with_views = !options.hooks;
  settings.external = !options.external_url.empty();
  settings.warn = options.warn;
  if (settings.url.empty()) settings.url = hooks_scheme(options) + options.hooks.value_or(options.listen);
  return settings;
}

// Only this machine's programs reach it, a browser among them, which any page may tell to call it.
bool own_host_only(const Address& address) {
  return address.is_local && !address.is_unix();
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(WebOptions options, WebSources sources)
      : options_(std::move(options)),
        sources_(std::move(sources)),
        trouble_(sources_.now, options_.warn, registry_),
        attention_(sources_.now),
        hooks_(hook_settings(options_), sources_.inbox, sources_.now, registry_, trouble_),
        views_(options_, sources_, hooks_, trouble_, registry_),
        commands_(context_, options_, sources_),
        shared_{context_, options_.limits, sources_.now, attention_} {}

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
    thread_ = std::thread([this] { turn(); });
    return {};
  }

  void stop() {
    if (!thread_.joinable()) return;
    hooks_.unbound();
    commands_.stop();
    context_.stop();  // what is still under way has nobody left to answer
    thread_.join();
    if (users_) users_->stop();  // now: what waits there holds connections
    for (const auto& listener : listeners_) listener->close();
    listeners_.clear();
    listen_ = hooks_listener_ = admin_ = nullptr;
  }

  WebHooks& hooks() { return hooks_; }
  Trouble& trouble() { return trouble_; }
  std::string listen_address() const { return listen_ ? listen_->bound() : ""; }
  std::string hooks_address() const { return hooks_listener_ ? hooks_listener_->bound() : ""; }
  std::string admin_address() const { return admin_ ? admin_->bound() : ""; }

 private:
  // The web thread's loop.
  void turn() {
    keep_from_dying_of_a_lost_peer();
    while (!context_.stopped()) {
      try {
        const Instant begun = sources_.now();
        context_.poll();  // ends once the kernel has nothing more
        settle(begun);
        attention_.sleeps();
        context_.run_one_for(kNap);
        attention_.wakes();
        for (const auto& listener : listeners_) listener->keep_on();
      } catch (const std::exception& thrown) {
        caught(thrown.what());
      } catch (...) {
        caught("something that is no std::exception");
      }
    }
  }

  // OpenSSL writes without MSG_NOSIGNAL: on a connection that its peer has left that would be SIGPIPE.
  static void keep_from_dying_of_a_lost_peer() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  }

  // Everything that had arrived by `quiet` has been handled.
  void settle(Instant quiet) {
    const Duration since = attention_.quiet(quiet);
    if (since > kNap + kStill)
      hooks_.broke(HookBreak::stood_still,
                   "for " + format_duration(std::chrono::floor<std::chrono::milliseconds>(since)));
    hooks_.answer(quiet);
  }

  // What was in hand when it was thrown is gone: its connection is cut, and it may have been a webhook's.
  void caught(std::string_view what) noexcept {
    trouble_.caught(WebThread::web, what);
    try {
      hooks_.broke(HookBreak::exception);
    } catch (...) {  // for want of memory for the words; when it broke is noted before them
    }
  }

  Result<Listener*> open(const std::string& address, std::string_view role, RoleParts parts,
                         TlsAcceptor* tls = nullptr) {
    auto site = std::make_unique<Role>(std::move(parts), options_.limits, trouble_);
    auto listener = Listener::open(address, role, *site, shared_, tls);
    if (!listener) return fail(listener.error());
    roles_.push_back(std::move(site));
    listeners_.push_back(std::move(*listener));
    return listeners_.back().get();
  }

  Result<void> open_all() {
    const auto address = parse_address(options_.listen);
    if (!address) return fail(address.error().code, "listen: " + address.error().text);
    const bool hooks_on_listen = !options_.hooks && address->is_local;
    if (const auto guarded = open_web_config(); !guarded) return guarded;
    auto listen = open(options_.listen, "listen",
                       {&views_,
                        hooks_on_listen ? &hooks_ : nullptr,
                        nullptr,
                        {},
                        own_host_only(*address),
                        users_.get(),
                        [this](std::function<void()> work) { asio::post(context_, std::move(work)); }},
                       tls_.get());
    if (!listen) return fail(listen.error());
    listen_ = *listen;
    if (hooks_on_listen) hooks_listener_ = listen_;
    if (options_.hooks) {
      auto hooks = open(*options_.hooks, "hooks", {nullptr, &hooks_, nullptr, {}, false, nullptr, {}});
      if (!hooks) return fail(hooks.error());
      hooks_listener_ = *hooks;
    }
    return options_.admin ? open_admin() : Result<void>();
  }

  Result<void> open_web_config() {
    if (has_tls(options_)) {
      auto tls = TlsAcceptor::open(*options_.listen_web->tls, options_.listen_web->name, sources_.now, options_.warn);
      if (!tls) return fail(tls.error());
      tls_ = std::move(*tls);
    }
    if (options_.listen_web && !options_.listen_web->users.empty())
      users_ = std::make_unique<BasicAuth>(options_.listen_web->users, registry_);
    return {};
  }

  Result<void> open_admin() {
    const auto address = parse_address(*options_.admin);
    if (!address) return fail(address.error().code, "admin: " + address.error().text);
    if (options_.admin_token.empty() && !address->is_local) {
      return fail(ErrorCode::bad_config, "admin address " + *options_.admin +
                                             " is open to other machines and needs a token: set admin.token_file, or "
                                             "listen on loopback or a unix socket");
    }
    auto admin = open(*options_.admin, "admin",
                      {&views_,
                       nullptr,
                       &commands_,
                       options_.admin_token,
                       options_.admin_token.empty() && own_host_only(*address),
                       nullptr,
                       {}});
    if (!admin) return fail(admin.error());
    admin_ = *admin;
    return {};
  }

  void announce_hooks() {
    if (!hooks_listener_) return;
    std::string url = options_.external_url;
    if (url.empty())
      url = hooks_listener_->is_unix() ? hooks_listener_->bound() : hooks_scheme(options_) + hooks_listener_->bound();
    hooks_.bound(
        std::move(url), [listener = hooks_listener_] { return listener->accepting_since(); },
        [this] { asio::post(context_, [] {}); });
  }

  const WebOptions options_;
  const WebSources sources_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
  prometheus::Registry registry_;
  Trouble trouble_;
  Attention attention_;
  WebHooks hooks_;
  Views views_;
  Commands commands_;
  ListenerShared shared_;
  std::unique_ptr<TlsAcceptor> tls_;  // of `listen`; null: plain HTTP
  std::unique_ptr<BasicAuth> users_;  // of `listen`; null: open
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

void WebServer::begin_anew() {
  impl_->hooks().begin_anew();
}

WayIn* WebServer::way_in() {
  return impl_->hooks().way_in();
}

io::HookRegistry& WebServer::hooks() {
  return impl_->hooks();
}

std::vector<RefusedCalls> WebServer::refused_calls() const {
  return impl_->trouble().refused();
}

void WebServer::engine_threw(std::string_view what) noexcept {
  impl_->trouble().caught(WebThread::engine, what);
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
