#include <boost/json/serialize.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "probe/cli/commands.h"
#include "probe/cli/exit.h"
#include "probe/cli/hook_sight.h"
#include "probe/cli/instance.h"
#include "probe/cli/last_resort.h"
#include "probe/cli/load.h"
#include "probe/cli/log.h"
#include "probe/cli/memory.h"
#include "probe/cli/reload.h"
#include "probe/cli/signals.h"
#include "probe/cli/state.h"

namespace slosonde::cli {

namespace {

struct Line {
  Level level;
  std::string_view message, subject;
};

Line line_of(engine::Notice::Kind kind) {
  using Kind = engine::Notice::Kind;
  switch (kind) {
    case Kind::transaction_bad:
      return {Level::warning, "transaction turned bad", "transaction"};
    case Kind::transaction_bad_otherwise:
      return {Level::warning, "transaction bad for another reason", "transaction"};
    case Kind::transaction_good:
      return {Level::info, "transaction is good again", "transaction"};
    case Kind::slot_missed:
      return {Level::warning, "slot missed", "transaction"};
    case Kind::watch_lost:
      return {Level::warning, "watch out of sight", "watch"};
    case Kind::watch_back:
      return {Level::info, "watch in sight", "watch"};
    case Kind::network_lost:
      return {Level::error, "no witness answers", "probe"};
    case Kind::network_back:
      return {Level::info, "a witness answers again", "probe"};
    case Kind::alert_fired:
      return {Level::error, "alert fired", "slo"};
    case Kind::alert_resolved:
      return {Level::info, "alert resolved", "slo"};
    case Kind::history_anew:
      return {Level::warning, "history begins anew", "slo"};
    case Kind::state_lost:
      return {Level::error, "state not written", "file"};
    case Kind::state_back:
      return {Level::info, "state written again", "file"};
    case Kind::runs_cut:
      return {Level::warning, "runs stopped", "transaction"};
    case Kind::runs_dropped:
      return {Level::warning, "runs dropped", "transaction"};
    case Kind::suspended:
      return {Level::warning, "transaction suspended", "transaction"};
    case Kind::resumed:
      return {Level::info, "transaction resumed", "transaction"};
    case Kind::exclusion_declared:
      return {Level::info, "exclusion declared", "exclusion"};
    case Kind::exclusion_ended:
      return {Level::info, "exclusion ended", "exclusion"};
    case Kind::clean_up_dropped:
      return {Level::warning, "clean-up dropped", "transaction"};
  }
  return {Level::error, "notice", "subject"};
}

void write(Log& log, const engine::Notice& notice) {
  const Line line = line_of(notice.kind);
  log.write(line.level, line.message, {{line.subject, notice.subject}, {"text", notice.text}});
}

// No deadline can break off a commit: a disk that hangs (a network's, or a dying one) must not keep the process.
constexpr Duration kLastCommit = std::chrono::seconds(10);

void say_stuck(Log& log, const engine::Snapshot& last) {
  if (!last.state) {
    return log.write(Level::error, "ended by force", {{"text", "something did not come to its end"}});
  }
  const auto& committed = last.state->committed_to;
  const std::string since = committed ? "since " + format_utc(*committed + last.wall_offset) : "since the start";
  log.write(Level::error, "ended by force",
            {{"file", last.state->path},
             {"text", "it has not come to its end within " + format_duration(kLastCommit) +
                          ", most likely because the disk hangs: what came " + since +
                          " may not be kept; the next process goes on from what is"}});
}

void say_started(Log& log, const config::Config& config, exporter::WebServer& web) {
  log.write(Level::info, "started",
            {{"version", SLOSONDE_VERSION},
             {"probe", config.probe.name},
             {"transactions", std::to_string(config.transactions.size())},
             {"slos", std::to_string(config.slos.size())},
             {"listen", web.listen_address()},
             {"hooks", web.hooks_address()},
             {"admin", web.admin_address()}});
  if (config.probe.key_is_random) {
    log.write(Level::warning, "no probe.key is set",
              {{"text", "a random one signs the markers; after a restart they are foreign"}});
  }
}

// Nothing without an external URL.
std::optional<HookSight> look_at_hooks(const config::Config& config, Instance& instance, Log& log) {
  exporter::WayIn* const way_in = instance.web().way_in();
  if (way_in == nullptr) return {};
  auto looking = HookSight::start(config, instance.world(), *way_in);
  if (looking) return std::move(*looking);
  log.write(Level::warning, "nobody looks at the way in",
            {{"text", "hooks.external_url: " + looking.error().text + "; webhook watches go on as if it worked"}});
  return {};
}

}  // namespace

int run(const RunOptions& options) {
  HeldSignals held;
  std::signal(SIGPIPE, SIG_IGN);
  auto config = load_config(options.config);
  if (!config) return complain(config.error(), options.config);

  auto log = std::make_unique<Log>(config->log_format);
  InstanceOptions wanted;
  wanted.web = exporter::web_options(*config, SLOSONDE_VERSION);
  wanted.web.warn = [&log](std::string_view what, std::string text) {
    log->write(Level::warning, what, {{"text", std::move(text)}});
  };
  auto state = open_state(*config);
  if (!state) {
    std::cerr << "slosonde: " << state.error().text << '\n';
    return kBad;
  }
  if (*state) {
    if (!(*state)->begins.empty()) {
      log->write(Level::info, "state", {{"file", config->probe.state}, {"text", (*state)->begins}});
    }
    if (!(*state)->warning.empty()) log->write(Level::warning, "state", {{"text", (*state)->warning}});
    wanted.service.state = std::move((*state)->options);
  }
  wanted.service.on_notice = [&](const engine::Notice& notice) { write(*log, notice); };
  Instance* started = nullptr;
  wanted.service.on_snapshot = [&started] {
    if (started == nullptr || !started->service().snapshot()->ready) return;
    drop_startup_pages();
    started = nullptr;
  };
  auto made = Instance::make(*config, std::move(wanted));
  if (!made) return complain({{}, std::move(made.error())}, options.config);
  Instance& instance = **made;
  if (const auto listening = instance.web().start(); !listening) {
    std::cerr << "slosonde: " << listening.error().text << '\n';
    return listening.error().code == ErrorCode::bad_config ? kBadConfig : kBad;
  }
  LastResort last_resort([&] {
    say_stuck(*log, *instance.service().snapshot());
    end_of_process(kBad);
  });
  bool told = false;
  Reloader reloader(options.config, *config, instance, *log);
  instance.on_reload([&](auto done) { reloader.reload(std::move(done)); });
  instance.world().on_signals({SIGTERM, SIGINT, SIGHUP}, [&](int signal) {
    if (signal == SIGHUP) return reloader.reload_soon();
    const Duration grace = reloader.in_force().probe.grace;
    const std::string name = signal == SIGTERM ? "SIGTERM" : "SIGINT";
    const std::string text = told ? "stopping at once" : "runs in flight may go on for " + format_duration(grace);
    log->write(Level::info, "stopping", {{"signal", name}, {"text", text}});
    last_resort.within(kLastCommit + (told ? Duration() : grace));
    told = true;
    instance.drain(grace);
  });
  held.release();
  say_started(*log, *config, instance.web());
  started = &instance;
  instance.service().start();
  auto hook_sight = look_at_hooks(*config, instance, *log);
  instance.run();
  hook_sight.reset();
  last_resort.over();
  log->write(Level::info, "stopped");
  end_of_process(kGood);
  made->reset();
  log.reset();
  return kGood;
}

}  // namespace slosonde::cli
