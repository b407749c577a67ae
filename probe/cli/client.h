// Asks a running probe over HTTP.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "probe/base/result.h"
#include "probe/base/secret.h"
#include "probe/base/time.h"

namespace slosonde::cli {

struct ProbeAnswer {
  long status = 0;
  boost::json::value body;  // null where it was no JSON
  std::string problem;      // for 4xx and 5xx: what the probe said of it
};

// One probe, by http://HOST:PORT, https://HOST:PORT or unix:/PATH; never through a proxy. Blocks, for at most
// `patience` a request. Answers over 16 MiB are `too_large`.
class ProbeClient {
 public:
  // bad_config when `probe` is none of the three.
  static Result<ProbeClient> make(std::string_view probe, Secret token = {});

  Result<ProbeAnswer> get(const std::string& path, Duration patience = std::chrono::seconds(10)) const;
  Result<ProbeAnswer> post(const std::string& path, const std::string& json,
                           Duration patience = std::chrono::seconds(15)) const;
  const std::string& shown() const { return shown_; }  // the address, without credentials

 private:
  Result<ProbeAnswer> request(const std::string& path, const std::string* json, Duration patience) const;

  std::string shown_, base_, socket_;
  Secret token_;
};

}  // namespace slosonde::cli
