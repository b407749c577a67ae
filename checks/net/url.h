// URLs as requests need them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probe/base/result.h"
#include "probe/config/mask.h"
#include "probe/config/template.h"

namespace slosonde::checks {

struct Url {
  std::string text;    // all of it
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case, without brackets
  uint16_t port = 0;
  std::string path;  // with its slash, without the query
  bool has_query = false;

  bool secure() const { return scheme == "https"; }
  // "https://host:8443", with the port always.
  std::string origin() const;
  // For messages: without query and credentials, where secrets hide, and without what `mask` hides in the path.
  std::string shown(const config::Mask& mask = {}) const;
};

// Only http and https, only with a host. `malformed` otherwise.
Result<Url> parse_url(std::string_view text);

// RFC 3986, 2.1: everything but unreserved characters.
std::string percent_encode(std::string_view text);

// A run's variables as they may stand in a URL.
class UrlVariables final : public config::Variables {
 public:
  explicit UrlVariables(const config::Variables& plain) : plain_(plain) {}
  std::optional<std::string_view> variable(std::string_view name) const override;

 private:
  const config::Variables& plain_;
  mutable std::string encoded_;
};

}  // namespace slosonde::checks
