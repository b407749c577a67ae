// The settings of an `http` check, as declared and as the check works with them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/http_expect.h"
#include "checks/net/curl_transfer.h"
#include "checks/net/url.h"
#include "probe/base/result.h"
#include "probe/config/block.h"
#include "probe/config/values.h"

namespace slosonde::checks {

enum class RedirectPolicy : uint8_t { none, same_host, follow };

// Which headers are ours to send: those that the settings do not name.
struct OwnHeaders {
  bool traceparent = true, tracestate = true, content_type = true, user_agent = true, authorization = true;
};

struct HttpSettings {
  explicit HttpSettings(const config::Values& settings);

  std::string method;
  config::Values values;                     // templates are rendered from here: url, query, headers, body, json
  std::shared_ptr<const config::Mask> mask;  // what no message of this check may show
  bool has_json = false, has_text = false;
  const std::vector<std::pair<std::string, config::Template>>* headers;  // within `values`
  OwnHeaders own_headers;
  std::optional<Url> constant_url;  // when url and query have no placeholders
  std::string user;                 // basic authentication; empty: none
  Secret password;
  Secret bearer;
  RedirectPolicy redirects = RedirectPolicy::none;
  int max_redirects = 0;
  io::IpFamily family = io::IpFamily::any;
  std::optional<Url> proxy;
  ClientSettings client;
  HttpExpect expect;
};

}  // namespace slosonde::checks
