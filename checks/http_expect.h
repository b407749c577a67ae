// What an HTTP answer must be, and what is taken from it.
#pragma once

#include <re2/re2.h>

#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checks/check.h"
#include "checks/net/curl_transfer.h"
#include "probe/config/block.h"
#include "probe/config/mask.h"
#include "probe/config/values.h"

namespace slosonde::checks {

const config::Block* http_expect_block();

// Immutable once made.
class HttpExpect {
 public:
  HttpExpect() = default;
  // `expect` may be nothing: then 200-299 is expected. `captures` as the key `capture` gives them.
  HttpExpect(const config::Values* expect, std::vector<std::pair<std::string, config::JsonPath>> captures);

  bool allows(long status) const;
  bool needs_headers() const { return !headers_.empty() || !header_patterns_.empty(); }
  bool needs_body() const { return needs_body_; }

  // What does not hold, as a sentence without the URL and what `mask` hides; no error when all does. Fills `captures`
  // then.
  Error judge(const CurlAnswer& answer, const RunContext& context, const config::Mask& mask, Captures& captures) const;

 private:
  struct Range {
    long from, to;
  };
  using Pattern = std::shared_ptr<const RE2>;

  Error judge_status(const CurlAnswer& answer, const config::Mask& mask) const;
  Error judge_headers(const CurlAnswer& answer, const config::Mask& mask) const;
  Error judge_text(const CurlAnswer& answer, const config::Mask& mask) const;
  Error judge_json(const boost::json::value& root, const RunContext& context, const config::Mask& mask) const;
  Error capture(const boost::json::value& root, Captures& captures) const;
  std::string wanted_status() const;

  std::vector<Range> statuses_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::vector<std::pair<std::string, Pattern>> header_patterns_;
  std::vector<std::string> contains_, not_contains_;
  Pattern pattern_;
  std::vector<config::Values> json_;
  std::vector<std::pair<std::string, config::JsonPath>> captures_;
  bool needs_body_ = false;
};

}  // namespace slosonde::checks
