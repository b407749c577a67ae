#include "probe/cli/load_web.h"

#include <utility>

#include "exporter/web/tls_context.h"
#include "probe/config/network.h"
#include "probe/config/source.h"

namespace slosonde::cli {

namespace {

tl::unexpected<Mistakes> at_the_key(const config::Listener& listen, std::string message) {
  config::Problems problems;
  problems.add(listen.web_config_position, "listen.web_config", std::move(message));
  return tl::unexpected(Mistakes{{}, std::move(problems)});
}

}  // namespace

tl::expected<void, Mistakes> load_web_config(config::Config& config) {
  config::Listener& listen = config.listen;
  if (listen.web_config.empty()) return {};
  const auto source = config::open_source(listen.web_config);
  if (!source) return at_the_key(listen, source.error().text);
  auto file = config::read_web_file(*source);
  if (!file) return tl::unexpected(Mistakes{{}, std::move(file.error()), listen.web_config});
  if (!file->tls && !config::is_local(listen.address))
    return at_the_key(listen,
                      "other machines reach this address, and passwords would cross the network in clear text; add "
                      "`tls_server_config` to " +
                          listen.web_config + ", or listen on 127.0.0.1 behind a proxy that speaks TLS");
  if (file->tls) {
    if (const auto made = exporter::make_tls_context(*file->tls); !made) {
      config::Problems problems;
      problems.add(made.error().position, made.error().path, made.error().message);
      return tl::unexpected(Mistakes{{}, std::move(problems), listen.web_config});
    }
  }
  listen.web = std::move(*file);
  return {};
}

}  // namespace slosonde::cli
