#include "probe/cli/load.h"

#include <iostream>
#include <map>
#include <utility>

#include "checks/catalog.h"
#include "probe/cli/exit.h"
#include "probe/cli/load_web.h"
#include "probe/config/source.h"

namespace slosonde::cli {

namespace {

// A request has one Authorization header, and a signature takes the place of either token: with neither key, two tokens
// that differ can never both be shown.
void check_hook_tokens(const config::Config& config, config::Problems& problems) {
  if (config.hooks.token.empty() || !config.hooks.hmac_key.empty()) return;
  for (const auto& transaction : config.transactions) {
    for (const auto& stage : transaction.stages) {
      if (stage.mode != config::StageMode::watched || stage.use.kind != "webhook") continue;
      const config::Values& settings = stage.use.values;
      const Secret& own = settings.secret("token");
      if (own.empty() || !settings.secret("hmac_key").empty() || config.hooks.token.equals(own.reveal())) continue;
      problems.add(
          settings.position("token"), settings.path("token"),
          "`hooks` asks every sender for another token, and a request can show only one (Authorization: Bearer "
          "…): none could get in; remove one of the two tokens, give both the same, or let senders sign with "
          "an `hmac_key`");
    }
  }
}

// One path has one watch, which the stages of equal settings share.
void check_hook_paths(const config::Config& config, config::Problems& problems) {
  std::map<std::string, std::string> settings_of;  // by path
  for (const auto& transaction : config.transactions) {
    for (const auto& stage : transaction.stages) {
      if (stage.mode != config::StageMode::watched || stage.use.kind != "webhook") continue;
      const config::Values& settings = stage.use.values;
      const std::string& path = settings.text("path");
      const auto [first, is_new] = settings_of.try_emplace(path, settings.fingerprint());
      if (is_new || first->second == settings.fingerprint()) continue;
      problems.add(settings.position("path"), settings.path("path"),
                   "two webhook watches of different settings want the path " + path +
                       "; give each its own, or both the same settings");
    }
  }
}

}  // namespace

tl::expected<config::Config, Mistakes> load_config(const std::string& path) {
  auto source = config::open_source(path);
  if (!source) return tl::unexpected(Mistakes{source.error(), {}});
  const auto kinds = checks::named_blocks();
  auto config = config::load(*source, kinds);
  if (!config) return tl::unexpected(Mistakes{{}, std::move(config.error())});
  config::Problems problems;
  check_hook_tokens(*config, problems);
  check_hook_paths(*config, problems);
  if (!problems.empty()) return tl::unexpected(Mistakes{{}, std::move(problems)});
  if (auto web = load_web_config(*config); !web) return tl::unexpected(std::move(web.error()));
  return std::move(*config);
}

int complain(const Mistakes& mistakes, const std::string& path) {
  if (mistakes.unreadable) {
    std::cerr << "slosonde: " << mistakes.unreadable.text << '\n';
    return kBadConfig;
  }
  const std::string& file = mistakes.file.empty() ? path : mistakes.file;
  std::cerr << mistakes.problems.text(file);
  const size_t n = mistakes.problems.list().size();
  std::cerr << file << ": " << n << (n == 1 ? " mistake\n" : " mistakes\n");
  return kBadConfig;
}

}  // namespace slosonde::cli
