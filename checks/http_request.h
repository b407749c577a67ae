// The requests of one run: the first one from the settings, the others from redirects.
#pragma once

#include <string>

#include "checks/check.h"
#include "checks/http_settings.h"
#include "checks/net/curl_transfer.h"
#include "checks/net/url.h"
#include "probe/base/result.h"

namespace slosonde::checks {

struct HttpRequest {
  Url url;
  CurlRequest curl;
  bool credentials = true;  // gone once the run has left the host it began with
};

Result<HttpRequest> first_request(const HttpSettings& settings, const RunContext& context);

// The request that a redirect asks for, or why it is not followed (`redirected`). `hops` have been followed before.
Result<HttpRequest> next_request(const HttpSettings& settings, HttpRequest request, const CurlAnswer& answer, int hops);

}  // namespace slosonde::checks
