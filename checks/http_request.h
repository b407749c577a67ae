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
};

// Writes over the request of an earlier run, whose memory it takes: most runs of a check ask for the same thing.
Result<void> first_request(const HttpSettings& settings, const RunContext& context, HttpRequest& request);

// The request that a redirect asks for, or why it is not followed (`redirected`; `request` is then as it was). `hops`
// have been followed before.
Result<void> next_request(const HttpSettings& settings, const CurlAnswer& answer, int hops, HttpRequest& request);

}  // namespace slosonde::checks
