#include "checks/http_settings.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "checks/http.h"
#include "checks/net/header_name.h"
#include "checks/net/tls_settings.h"
#include "probe/base/ascii.h"

namespace slosonde::checks {

namespace {

using config::Key;
using config::Type;

constexpr std::array<std::string_view, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
constexpr std::array<std::string_view, 3> kRedirects = {"none", "same_host", "follow"};
constexpr std::array<std::string_view, 3> kFamilies = {"any", "ipv4", "ipv6"};

constexpr std::array<Key, 2> kBasicKeys = {{
    {.name = "username", .help = "Who we are.", .required = true, .min = "1", .max = "256"},
    {.name = "password", .type = Type::secret, .help = "The password.", .required = true, .max = "1024"},
}};
constexpr config::Block kBasic{.name = "http.basic", .help = "HTTP basic authentication.", .keys = kBasicKeys};

constexpr config::SecretEntries kSecretHeaders{.has = &carries_secret, .instead = "`bearer` or `basic`"};

void check_together(const config::Values& values, config::Problems& problems) {
  if (values.has("body") && values.has("json"))
    problems.add(values.position("json"), values.path("json"), "`body` is given too; keep one of `body` and `json`");
  if (values.has("basic") && values.has("bearer"))
    problems.add(values.position("bearer"), values.path("bearer"),
                 "`basic` is given too; keep one of `basic` and `bearer`");
  const bool has_body = values.has("body") || values.has("json");
  if (has_body && values.has("method") && values.text("method") == "HEAD")
    problems.add(values.position("method"), values.path("method"),
                 "a HEAD request has no body; remove `body` or `json`, or use POST");
  for (const auto& [name, value] : values.template_map("headers")) {
    const bool is_token =
        name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") ==
        std::string::npos;
    if (name.empty() || !is_token)
      problems.add(values.position("headers"), values.path("headers"),
                   "\"" + name + "\" is no header's name; letters, digits and hyphens make one");
    if (value.source().find_first_of("\r\n") != std::string::npos)
      problems.add(values.position("headers"), values.path("headers"),
                   "header " + name + " has a line break; a header is one line");
  }
}

constexpr std::array<Key, 17> kKeys = {{
    {.name = "url", .type = Type::url, .help = "What is asked.", .required = true},
    {.name = "method",
     .type = Type::choice,
     .help = "The method. Default: GET, or POST where there is a body.",
     .choices = kMethods},
    {.name = "headers",
     .type = Type::template_map,
     .help = "Headers to send, beside `traceparent` and `tracestate`, which are sent unless they stand here. What "
             "carries a secret (Authorization, Cookie, X-Api-Key, …) comes from `${env:NAME}` or `${file:PATH}`.",
     .max = "64",
     .secrets = &kSecretHeaders},
    {.name = "query",
     .type = Type::template_map,
     .help = "Added to the URL's query, encoded as it must be.",
     .max = "64"},
    {.name = "body",
     .type = Type::text_template,
     .help = "The request's body, as text/plain unless a header says otherwise."},
    {.name = "json", .type = Type::json, .help = "The request's body as JSON; its texts may hold placeholders."},
    {.name = "basic", .type = Type::block, .help = "User and password.", .block = [] { return &kBasic; }},
    {.name = "bearer", .type = Type::secret, .help = "A bearer token.", .max = "16384"},
    {.name = "tls", .type = Type::block, .help = "How TLS is spoken.", .block = tls_block},
    {.name = "redirects",
     .type = Type::choice,
     .help =
         "Which redirects are followed: none, those to the same host, or all. Each hop is resolved and checked anew; "
         "credentials and headers stay behind when the host or port changes.",
     .fallback = "none",
     .choices = kRedirects},
    {.name = "max_redirects",
     .type = Type::integer,
     .help = "How many redirects are followed at most.",
     .fallback = "5",
     .min = "1",
     .max = "20"},
    {.name = "ip",
     .type = Type::choice,
     .help = "Which addresses of the host are tried.",
     .fallback = "any",
     .choices = kFamilies},
    {.name = "proxy", .type = Type::url, .help = "The HTTP proxy to go through. The environment's are not used."},
    {.name = "max_body",
     .type = Type::bytes,
     .help = "An answer with a larger body fails.",
     .fallback = "1MiB",
     .min = "1B",
     .max = "64MiB"},
    {.name = "reuse",
     .type = Type::boolean,
     .help =
         "Keep the connection for the next check. Default: a fresh one each time, as a user who comes along has it.",
     .fallback = "false"},
    {.name = "expect",
     .type = Type::block,
     .help = "What the answer must be. Default: a status from 200 to 299.",
     .block = http_expect_block},
    {.name = "capture",
     .type = Type::json_path_map,
     .help = "Values of the answer's JSON that later stages may use as `{{captured.NAME}}`.",
     .max = "16"},
}};
constexpr config::Block kBlock{
    .name = "http", .help = "One HTTP request and what its answer must be.", .keys = kKeys, .rule = check_together};

RedirectPolicy policy_of(const std::string& text) {
  if (text == "same_host") return RedirectPolicy::same_host;
  return text == "follow" ? RedirectPolicy::follow : RedirectPolicy::none;
}

io::IpFamily family_of(const std::string& text) {
  if (text == "ipv4") return io::IpFamily::v4;
  return text == "ipv6" ? io::IpFamily::v6 : io::IpFamily::any;
}

// Basic authentication carries both in one, which a target may repeat.
std::shared_ptr<const config::Mask> mask_of(const config::Values& settings, const std::string& user,
                                            const Secret& password) {
  if (user.empty()) return settings.mask();
  auto mask = std::make_shared<config::Mask>(*settings.mask());
  const Secret both(user + ":" + std::string(password.reveal()));
  mask->hide(both.reveal(), kSecretShown);
  return mask;
}

OwnHeaders own_headers_beside(const std::vector<std::pair<std::string, config::Template>>& given) {
  const auto is_free = [&](std::string_view name) {
    return std::none_of(given.begin(), given.end(),
                        [&](const auto& one) { return same_ignoring_case(one.first, name); });
  };
  return {is_free("traceparent"), is_free("tracestate"), is_free("Content-Type"), is_free("User-Agent"),
          is_free("Authorization")};
}

}  // namespace

const config::Block& http_block() {
  return kBlock;
}

HttpSettings::HttpSettings(const config::Values& settings)
    : values(settings), headers(&values.template_map("headers")), own_headers(own_headers_beside(*headers)) {
  has_json = settings.has("json");
  has_text = settings.has("body");
  const bool has_body = has_json || has_text;
  method = settings.has("method") ? settings.text("method") : has_body ? "POST" : "GET";
  if (settings.has("basic")) {
    user = settings.block("basic").text("username");
    password = settings.block("basic").secret("password");
  }
  bearer = settings.secret("bearer");
  if (settings.has("tls")) client.tls = tls_settings(settings.block("tls"));
  redirects = policy_of(settings.text("redirects"));
  max_redirects = static_cast<int>(settings.integer("max_redirects"));
  family = family_of(settings.text("ip"));
  if (settings.has("proxy")) {
    client.proxy = settings.text_template("proxy").source();
    if (auto parsed = parse_url(client.proxy)) proxy = std::move(*parsed);
  }
  mask = mask_of(settings, user, password);
  client.max_body = settings.bytes("max_body");
  client.reuse = settings.boolean("reuse");
  expect = HttpExpect(settings.has("expect") ? &settings.block("expect") : nullptr, settings.json_path_map("capture"));
  client.keep_headers = expect.needs_headers();
  if (settings.text_template("url").is_constant() && settings.template_map("query").empty()) {
    if (auto parsed = parse_url(settings.text_template("url").source())) constant_url = std::move(*parsed);
  }
}

}  // namespace slosonde::checks
