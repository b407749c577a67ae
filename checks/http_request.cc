#include "checks/http_request.h"

#include <algorithm>
#include <utility>

#include "probe/base/ascii.h"

namespace slosonde::checks {

namespace {

std::string_view name_of(std::string_view line) {
  return line.substr(0, line.find_first_of(":;"));
}

// What a capture brings along must not begin a header of its own.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

// Writes a request's header lines one after the other over those of the request before.
class HeaderLines {
 public:
  explicit HeaderLines(std::vector<std::string>& lines) : lines_(lines) {}
  ~HeaderLines() { lines_.resize(used_); }
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;

  void add(std::string_view name, std::string_view between, std::string_view value) {
    if (used_ == lines_.size()) lines_.emplace_back();
    lines_[used_++].assign(name).append(between).append(value);
  }

 private:
  std::vector<std::string>& lines_;
  size_t used_ = 0;
};

void write_headers(const HttpSettings& settings, const RunContext& context, std::vector<std::string>& space) {
  HeaderLines lines(space);
  for (const auto& [name, value] : *settings.headers) {
    const std::string text = one_line(value.render(context));
    // libcurl's way to send a header that says nothing.
    lines.add(name, text.empty() ? ";" : ": ", text);
  }
  const OwnHeaders& own = settings.own_headers;
  if (own.traceparent && !context.traceparent.empty()) lines.add("traceparent", ": ", context.traceparent);
  if (own.tracestate && !context.traceparent.empty()) lines.add("tracestate", ": ", "slosonde=synthetic");
  if (own.content_type && settings.has_json) lines.add("Content-Type", ": ", "application/json");
  if (own.content_type && settings.has_text) lines.add("Content-Type", ": ", "text/plain; charset=utf-8");
  // Given to libcurl as its own option, it would be put together twice.
  if (own.user_agent) lines.add("User-Agent", ": ", "slosonde");
  // Waiting for "100 Continue" would put a second between header and body where the server does not know it.
  if (settings.has_json || settings.has_text) lines.add("Expect", ":", "");
  if (own.authorization && !settings.bearer.empty()) lines.add("Authorization", ": Bearer ", settings.bearer.reveal());
}

Result<Url> render_url(const HttpSettings& settings, const RunContext& context) {
  const UrlVariables encoded(context);
  std::string text = settings.values.text_template("url").render(encoded);
  std::string fragment;
  if (const size_t hash = text.find('#'); hash != std::string::npos) {
    fragment = text.substr(hash);
    text.resize(hash);
  }
  char separator = text.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : settings.values.template_map("query")) {
    text += separator + percent_encode(name) + "=" + percent_encode(value.render(context));
    separator = '&';
  }
  return parse_url(text + fragment);
}

// Credentials go to the origin they are meant for, and to the same host's https.
bool may_have_credentials(const Url& from, const Url& to) {
  if (from.host != to.host) return false;
  if (from.scheme == to.scheme) return from.port == to.port;
  return from.scheme == "http" && from.port == 80 && to.scheme == "https" && to.port == 443;
}

// Of the headers of the configuration only those that cannot be secrets, and those that are slosonde's own.
bool may_leave(std::string_view line) {
  for (const std::string_view name :
       {"accept", "accept-language", "content-type", "user-agent", "traceparent", "tracestate", "expect"})
    if (same_ignoring_case(name_of(line), name)) return true;
  return false;
}

void drop_body(CurlRequest& request) {
  request.body.reset();
  std::erase_if(request.headers, [](const std::string& line) {
    return same_ignoring_case(name_of(line), "content-type") || same_ignoring_case(name_of(line), "expect");
  });
}

}  // namespace

Result<void> first_request(const HttpSettings& settings, const RunContext& context, HttpRequest& request) {
  if (settings.constant_url) {
    request.url = *settings.constant_url;
  } else {
    auto url = render_url(settings, context);
    if (!url) return fail(url.error());
    request.url = std::move(*url);
  }
  request.curl.method = settings.method;
  request.curl.url = request.url.text;
  write_headers(settings, context, request.curl.headers);
  if (settings.has_json) request.curl.body = config::render_json(settings.values.json("json"), context);
  if (settings.has_text) request.curl.body = settings.values.text_template("body").render(context);
  request.curl.user = settings.user;
  request.curl.password = settings.password.reveal();
  request.curl.keep_body = context.polling || settings.expect.needs_body();
  return {};
}

Result<void> next_request(const HttpSettings& settings, const CurlAnswer& answer, int hops, HttpRequest& request) {
  const std::string status = "status " + std::to_string(answer.status);
  if (answer.redirect.empty()) {
    return fail(ErrorCode::redirected, status + ", a redirect that does not say where to");
  }
  auto target = parse_url(answer.redirect);
  if (!target)
    return fail(ErrorCode::redirected, status + ", a redirect that cannot be followed: " + target.error().text);
  const std::string to = status + ", a redirect to " + target->shown(*settings.mask);
  if (settings.redirects == RedirectPolicy::none) {
    return fail(ErrorCode::redirected, to +
                                           "; redirects are not followed (`redirects: same_host` or `follow` would), " +
                                           "and the status is not among the expected ones");
  }
  const bool other_host = target->host != request.url.host;
  const bool downgrade = request.url.secure() && !target->secure();
  if (settings.redirects == RedirectPolicy::same_host && (other_host || downgrade)) {
    return fail(ErrorCode::redirected, to + (other_host ? ", another host" : ", without TLS") +
                                           ", which `redirects: same_host` does not follow");
  }
  if (hops >= settings.max_redirects) {
    return fail(ErrorCode::redirected,
                to + ", but " + std::to_string(hops) + " were followed already (`max_redirects`)");
  }

  const bool becomes_get =
      answer.status == 303 || (answer.status != 307 && answer.status != 308 && request.curl.method == "POST");
  if (becomes_get && request.curl.method != "HEAD") {
    request.curl.method = "GET";
    drop_body(request.curl);
  }
  if (!may_have_credentials(request.url, *target)) {
    request.curl.user.clear();
    request.curl.password = {};
    std::erase_if(request.curl.headers, [](const std::string& line) { return !may_leave(line); });
  }
  request.url = std::move(*target);
  request.curl.url = request.url.text;
  return {};
}

}  // namespace slosonde::checks
