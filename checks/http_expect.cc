#include "checks/http_expect.h"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <optional>

#include "checks/net/excerpt.h"
#include "checks/net/header_name.h"
#include "checks/net/json_condition.h"
#include "probe/base/ascii.h"
#include "probe/config/template.h"

namespace slosonde::checks {

namespace json = boost::json;

namespace {

using config::Key;
using config::Type;

void check_statuses(const config::Values& values, config::Problems& problems);

constexpr std::array<Key, 4> kBodyKeys = {{
    {.name = "contains", .type = Type::texts, .help = "Texts that must all be in the body.", .max = "32"},
    {.name = "not_contains", .type = Type::texts, .help = "Texts none of which may be in the body.", .max = "32"},
    {.name = "regex", .type = Type::regex, .help = "A pattern (RE2) that must be found in the body."},
    {.name = "json",
     .type = Type::blocks,
     .help = "Conditions on the body as JSON; all must hold.",
     .max = "32",
     .block = json_condition_block},
}};
constexpr config::Block kBody{.name = "http.expect.body", .help = "What the body must be.", .keys = kBodyKeys};

constexpr std::array<Key, 4> kExpectKeys = {{
    {.name = "status",
     .type = Type::texts,
     .help = "The statuses that are right, one by one or as ranges: `[200, 202]`, `200-299`.",
     .fallback = "200-299",
     .min = "1",
     .max = "32"},
    {.name = "header", .type = Type::text_map, .help = "Headers and exactly what they must say.", .max = "32"},
    {.name = "header_regex",
     .type = Type::text_map,
     .help = "Headers and a pattern (RE2) that must be found in what they say.",
     .max = "32"},
    {.name = "body", .type = Type::block, .help = "What the body must be.", .block = [] { return &kBody; }},
}};
constexpr config::Block kExpect{
    .name = "http.expect", .help = "What the answer must be.", .keys = kExpectKeys, .rule = check_statuses};

// "200", "200-299"; nothing when it is neither.
std::optional<std::pair<long, long>> parse_range(std::string_view text) {
  long from = 0, to = 0;
  const char* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, from);
  if (parsed.ec != std::errc{}) return std::nullopt;
  to = from;
  if (parsed.ptr != end) {
    if (*parsed.ptr != '-') return std::nullopt;
    parsed = std::from_chars(parsed.ptr + 1, end, to);
  }
  if (parsed.ec != std::errc{} || parsed.ptr != end || from < 100 || to > 599 || to < from) return std::nullopt;
  return std::pair(from, to);
}

std::shared_ptr<const RE2> compile(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  return std::make_shared<const RE2>(pattern, options);
}

void check_statuses(const config::Values& values, config::Problems& problems) {
  for (const std::string& status : values.texts("status")) {
    if (parse_range(status)) continue;
    problems.add(values.position("status"), values.path("status"),
                 "`" + status + "` is no status; write one from 100 to 599 (`200`), or a range (`200-299`)");
  }
  for (const auto& [name, pattern] : values.text_map("header_regex")) {
    const auto compiled = compile(pattern);
    if (compiled->ok()) continue;
    problems.add(values.position("header_regex"), values.path("header_regex") + "." + name,
                 "`" + pattern + "` is no pattern that RE2 takes: " + compiled->error());
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t from = text.find_first_not_of(kBlank);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

// Every value of that header, in order.
std::vector<std::string_view> values_of(std::string_view headers, std::string_view name) {
  std::vector<std::string_view> found;
  while (!headers.empty()) {
    const size_t end = headers.find('\n');
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(end == std::string_view::npos ? headers.size() : end + 1);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && same_ignoring_case(line.substr(0, colon), name))
      found.push_back(trimmed(line.substr(colon + 1)));
  }
  return found;
}

// What the target says in a header that carries secrets is its own.
std::string header_shown(std::string_view name, const std::vector<std::string_view>& values, const config::Mask& mask) {
  if (values.empty()) return "there is none";
  if (carries_secret(name)) return "it says something else, which may be secret and is not shown";
  std::string text = "it says ";
  for (size_t i = 0; i < values.size(); ++i) text += (i ? ", " : "") + excerpt(values[i], mask);
  return text;
}

Error wrong_body(std::string text) {
  return {ErrorCode::wrong_body, std::move(text)};
}

}  // namespace

const config::Block* http_expect_block() {
  return &kExpect;
}

HttpExpect::HttpExpect(const config::Values* expect, std::vector<std::pair<std::string, config::JsonPath>> captures)
    : captures_(std::move(captures)) {
  needs_body_ = !captures_.empty();
  if (!expect) {
    statuses_.push_back({200, 299});
    return;
  }
  for (const std::string& status : expect->texts("status"))
    if (const auto range = parse_range(status)) statuses_.push_back({range->first, range->second});
  headers_ = expect->text_map("header");
  for (const auto& [name, pattern] : expect->text_map("header_regex"))
    header_patterns_.emplace_back(name, compile(pattern));
  if (!expect->has("body")) return;
  const config::Values& body = expect->block("body");
  contains_ = body.texts("contains");
  not_contains_ = body.texts("not_contains");
  if (body.has("regex")) pattern_ = compile(body.text("regex"));
  json_ = body.blocks("json");
  needs_body_ = needs_body_ || !contains_.empty() || !not_contains_.empty() || pattern_ || !json_.empty();
}

bool HttpExpect::allows(long status) const {
  return std::any_of(statuses_.begin(), statuses_.end(),
                     [&](const Range& range) { return status >= range.from && status <= range.to; });
}

std::string HttpExpect::wanted_status() const {
  std::string text;
  for (const Range& range : statuses_) {
    if (!text.empty()) text += " or ";
    text += std::to_string(range.from);
    if (range.to != range.from) text += "-" + std::to_string(range.to);
  }
  return text;
}

Error HttpExpect::judge_status(const CurlAnswer& answer, const config::Mask& mask) const {
  if (allows(answer.status)) return {};
  const bool credentials = answer.status == 401 || answer.status == 403 || answer.status == 407;
  std::string text = "status " + std::to_string(answer.status) + ", expected " + wanted_status();
  if (!answer.body.empty()) text += "; the body says " + excerpt(answer.body, mask);
  return {credentials ? ErrorCode::unauthorised : ErrorCode::wrong_status, std::move(text)};
}

Error HttpExpect::judge_headers(const CurlAnswer& answer, const config::Mask& mask) const {
  for (const auto& [name, wanted] : headers_) {
    const auto got = values_of(answer.headers, name);
    if (std::find(got.begin(), got.end(), wanted) != got.end()) continue;
    return {ErrorCode::wrong_header, "header " + name + " is not " +
                                         (carries_secret(name) ? "as expected" : excerpt(wanted, mask)) + ": " +
                                         header_shown(name, got, mask)};
  }
  for (const auto& [name, pattern] : header_patterns_) {
    const auto got = values_of(answer.headers, name);
    const auto fits = [&](std::string_view value) {
      return RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *pattern);
    };
    if (std::any_of(got.begin(), got.end(), fits)) continue;
    return {ErrorCode::wrong_header, "header " + name + " does not match " + excerpt(pattern->pattern(), mask) + ": " +
                                         header_shown(name, got, mask)};
  }
  return {};
}

Error HttpExpect::judge_text(const CurlAnswer& answer, const config::Mask& mask) const {
  for (const std::string& wanted : contains_) {
    if (answer.body.find(wanted) == std::string::npos)
      return wrong_body(excerpt(wanted, mask) + " is not in the body, which says " + excerpt(answer.body, mask));
  }
  for (const std::string& unwanted : not_contains_) {
    if (answer.body.find(unwanted) != std::string::npos)
      return wrong_body(excerpt(unwanted, mask) + " is in the body, and must not be");
  }
  if (pattern_ && !RE2::PartialMatch(answer.body, *pattern_)) {
    return wrong_body("nothing in the body matches " + excerpt(pattern_->pattern(), mask) + "; it says " +
                      excerpt(answer.body, mask));
  }
  return {};
}

Error HttpExpect::judge_json(const json::value& root, const RunContext& context, const config::Mask& mask) const {
  for (const config::Values& condition : json_) {
    if (auto wrong = judge_condition(condition, root, context, mask)) return wrong_body(std::move(*wrong));
  }
  return {};
}

Error HttpExpect::capture(const json::value& root, Captures& captures) const {
  for (const auto& [name, path] : captures_) {
    const auto found = path.find(root);
    if (found.empty()) {
      return wrong_body("nothing to capture as " + name + ": there is no " + path.source() + " in the answer");
    }
    std::string text = found[0]->is_string() ? std::string(found[0]->get_string()) : json::serialize(*found[0]);
    if (text.size() > kMaxCaptureBytes) {
      return {ErrorCode::too_large,
              "what is to be captured as " + name + " is larger than " + std::to_string(kMaxCaptureBytes) + " bytes"};
    }
    captures[name] = std::move(text);
  }
  return {};
}

Error HttpExpect::judge(const CurlAnswer& answer, const RunContext& context, const config::Mask& mask,
                        Captures& captures) const {
  if (auto wrong = judge_status(answer, mask)) return wrong;
  if (auto wrong = judge_headers(answer, mask)) return wrong;
  if (auto wrong = judge_text(answer, mask)) return wrong;
  if (json_.empty() && captures_.empty()) return {};
  boost::system::error_code problem;
  const json::value root = json::parse(answer.body, problem);  // at most 32 deep
  if (problem)
    return wrong_body("the body is no JSON (" + problem.message() + "): it says " + excerpt(answer.body, mask));
  if (auto wrong = judge_json(root, context, mask)) return wrong;
  return capture(root, captures);
}

}  // namespace slosonde::checks
