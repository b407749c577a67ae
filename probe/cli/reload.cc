#include "probe/cli/reload.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "checks/catalog.h"
#include "probe/cli/load.h"
#include "probe/engine/equip.h"

namespace slosonde::cli {

namespace {

namespace asio = boost::asio;

constexpr Duration kReading = std::chrono::seconds(10);  // for the file and what it names

using Loaded = tl::expected<config::Config, Mistakes>;

bool same(const Secret& a, const Secret& b) {
  return a.empty() ? b.empty() : a.equals(b.reveal());
}

std::string address_of(const std::optional<config::Listener>& listener) {
  return listener ? listener->address : "";
}

bool same(const config::TlsServer& a, const config::TlsServer& b) {
  return a.certificate.path == b.certificate.path && a.key.path == b.key.path && a.client_ca.path == b.client_ca.path &&
         a.client_auth == b.client_auth && a.min == b.min && a.max == b.max;
}

bool same(const std::vector<config::WebUser>& a, const std::vector<config::WebUser>& b) {
  const auto is_same = [](const config::WebUser& one, const config::WebUser& other) {
    return one.name == other.name && same(one.hash, other.hash);
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), is_same);
}

// Certificates are no part of it: their files are read again when they change.
bool same(const std::optional<config::WebFile>& a, const std::optional<config::WebFile>& b) {
  if (!a || !b) return !a && !b;
  const bool same_tls = a->tls && b->tls ? same(*a->tls, *b->tls) : !a->tls && !b->tls;
  return same_tls && same(a->users, b->users);
}

std::string line_of(const engine::PlanChange& change) {
  std::string text = std::string(name(change.what)) + " " + change.name + " " + std::string(name(change.how));
  return change.text.empty() ? text : text + ": " + change.text;
}

// A watch of other settings is another one: it is opened or closed, never changed.
std::string event_of(const engine::PlanChange& change) {
  using How = engine::PlanChange::How;
  std::string text(name(change.what));
  if (change.what != engine::PlanChange::What::watch) return text.append(" ").append(name(change.how));
  return text.append(change.how == How::added ? " opened" : " closed");
}

}  // namespace

config::Problems declared_names(const config::Config& config, const engine::Snapshot& running) {
  config::Problems problems;
  for (const config::Values& exclusion : config.root.blocks("exclusions")) {
    const std::string& name = exclusion.text("name");
    const auto is_it = [&](const engine::ExclusionStatus& one) { return one.declared && one.next && one.name == name; };
    if (std::none_of(running.exclusions.begin(), running.exclusions.end(), is_it)) continue;
    problems.add(exclusion.position("name"), exclusion.path("name"),
                 "an exclusion `" + name + "` is declared to the running probe; end it first, or choose another name");
  }
  return problems;
}

std::vector<std::string> restart_needed(const config::Config& before, const config::Config& after) {
  std::vector<std::string> keys;
  const auto compare = [&](bool is_same, const char* key) {
    if (!is_same) keys.emplace_back(key);
  };
  const config::Probe& a = before.probe;
  const config::Probe& b = after.probe;
  compare(a.name == b.name, "probe.name");
  compare(a.region == b.region, "probe.region");
  compare(a.zone == b.zone, "probe.zone");
  compare(a.key_is_random == b.key_is_random && (a.key_is_random || same(a.key, b.key)), "probe.key");
  compare(a.state == b.state, "probe.state");
  compare(a.commit == b.commit, "probe.commit");
  compare(before.listen.address == after.listen.address, "listen.address");
  compare(before.listen.web_config == after.listen.web_config, "listen.web_config");
  compare(before.listen.web_config != after.listen.web_config || same(before.listen.web, after.listen.web),
          "what stands in listen.web_config");
  compare(address_of(before.hooks.listener) == address_of(after.hooks.listener), "hooks.address");
  compare(same(before.hooks.token, after.hooks.token), "hooks.token");
  compare(same(before.hooks.hmac_key, after.hooks.hmac_key), "hooks.hmac_key");
  compare(before.hooks.external_url == after.hooks.external_url, "hooks.external_url");
  compare(address_of(before.admin.listener) == address_of(after.admin.listener), "admin.address");
  compare(same(before.admin.token, after.admin.token), "admin.token");
  compare(before.log_format == after.log_format, "log");
  return keys;
}

class Reloader::Impl : public std::enable_shared_from_this<Reloader::Impl> {
 public:
  Impl(std::string path, config::Config in_force, Instance& instance, Log& log)
      : path_(std::move(path)), in_force_(std::move(in_force)), instance_(instance), log_(log) {}

  void reload(Done done) {
    if (done_) {
      return done({{ErrorCode::busy, "another reload is under way; come again when it is over"}, {}});
    }
    done_ = std::move(done);
    asio::co_spawn(instance_.world().executor(), read(shared_from_this()), asio::detached);
  }

  void reload_soon() {
    if (done_) {
      again_ = true;
    } else {
      reload([](const exporter::ReloadOutcome&) {});
    }
  }

  const config::Config& in_force() const { return in_force_; }

 private:
  // Files may lie on a disk that does not answer: not on the engine's thread.
  static asio::awaitable<void> read(std::shared_ptr<Impl> self) {
    try {
      auto loaded = std::make_shared<std::optional<Loaded>>();
      std::function<void()> work = [loaded, path = self->path_] { *loaded = load_config(path); };
      const Instant until = self->instance_.world().now() + kReading;
      auto done = co_await self->instance_.world().blocking(std::move(work), until);
      if (done) {
        self->take(std::move(**loaded));
      } else {
        self->refuse({ErrorCode::timeout, self->path_ + " was not read within " + format_duration(kReading)}, {});
      }
    } catch (const std::exception& thrown) {
      self->refuse({ErrorCode::internal, std::string("the configuration could not be reloaded: ") + thrown.what()}, {});
    }
  }

  void take(Loaded loaded) {
    if (!loaded) return refuse(loaded.error());
    config::Config& fresh = *loaded;
    if (const auto keys = restart_needed(in_force_, fresh); !keys.empty()) {
      std::string list;
      for (const std::string& key : keys) list.append(list.empty() ? "" : ", ").append(key);
      return refuse({ErrorCode::bad_config, "restart needed for: " + list}, {});
    }
    if (auto clashes = declared_names(fresh, *instance_.service().snapshot()); !clashes.empty()) {
      return refuse(Mistakes{{}, std::move(clashes)});
    }
    if (fresh.probe.key_is_random) fresh.probe.key = in_force_.probe.key;
    instance_.web().begin_anew();
    auto equipment = engine::equip(fresh, checks::catalog(), instance_.world(), &instance_.service().equipment());
    if (!equipment) return refuse(Mistakes{{}, std::move(equipment.error())});
    equipment->shown = std::make_shared<const std::string>(boost::json::serialize(fresh.root.shown()));
    auto in_force = std::make_shared<config::Config>(std::move(fresh));
    instance_.service().go_on_with(std::move(*equipment),
                                   [self = shared_from_this(), in_force](Result<engine::Service::Changes> changes) {
                                     if (!changes) return self->refuse(changes.error(), {});
                                     self->in_force_ = std::move(*in_force);
                                     self->tell(*changes);
                                   });
  }

  void tell(const engine::Service::Changes& changes) {
    exporter::ReloadOutcome outcome;
    for (const engine::PlanChange& change : changes) {
      outcome.lines.push_back(line_of(change));
      log_.write(Level::info, event_of(change), {{name(change.what), change.name}, {"text", change.text}});
    }
    log_.write(Level::info, "reloaded", {{"file", path_}, {"changes", std::to_string(changes.size())}});
    finish(std::move(outcome));
  }

  void refuse(const Mistakes& mistakes) {
    if (mistakes.unreadable) return refuse(mistakes.unreadable, {});
    const std::string& file = mistakes.file.empty() ? path_ : mistakes.file;
    std::vector<std::string> lines;
    std::string text = mistakes.problems.text(file);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    const std::string count = std::to_string(lines.size()) + (lines.size() == 1 ? " mistake" : " mistakes");
    refuse({ErrorCode::bad_config, file + ": " + count}, std::move(lines));
  }

  void refuse(Error error, std::vector<std::string> lines) {
    for (const std::string& line : lines) log_.write(Level::error, "mistake", {{"text", line}});
    log_.write(Level::error, "not reloaded", {{"file", path_}, {"text", error.text + "; all goes on as before"}});
    instance_.service().reload_failed();
    finish({std::move(error), std::move(lines)});
  }

  void finish(exporter::ReloadOutcome outcome) {
    const Done done = std::exchange(done_, nullptr);
    if (done) done(std::move(outcome));
    if (std::exchange(again_, false)) reload_soon();
  }

  const std::string path_;
  config::Config in_force_;
  Instance& instance_;
  Log& log_;
  Done done_;  // of the reload that is under way
  bool again_ = false;
};

Reloader::Reloader(std::string path, config::Config in_force, Instance& instance, Log& log)
    : impl_(std::make_shared<Impl>(std::move(path), std::move(in_force), instance, log)) {}

Reloader::~Reloader() = default;

void Reloader::reload(Done done) {
  impl_->reload(std::move(done));
}

void Reloader::reload_soon() {
  impl_->reload_soon();
}

const config::Config& Reloader::in_force() const {
  return impl_->in_force();
}

}  // namespace slosonde::cli
