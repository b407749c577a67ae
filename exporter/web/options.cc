#include "exporter/web/options.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "probe/config/mask.h"

namespace slosonde::exporter {

WebOptions web_options(const config::Config& config, std::string version) {
  WebOptions options;
  options.listen = config.listen.address;
  options.listen_web = config.listen.web;
  if (config.hooks.listener) options.hooks = config.hooks.listener->address;
  if (config.admin.listener) options.admin = config.admin.listener->address;
  options.hook_token = config.hooks.token;
  options.hook_hmac_key = config.hooks.hmac_key;
  options.admin_token = config.admin.token;
  options.external_url = config.root.mask()->apply(config.hooks.external_url);  // for people to read
  options.version = std::move(version);
  options.config_shown = boost::json::serialize(config.root.shown());
  return options;
}

}  // namespace slosonde::exporter
