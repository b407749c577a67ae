#include "checks/net/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <memory>

#include "checks/net/excerpt.h"

namespace slosonde::checks {

namespace {

constexpr size_t kShownPathBytes = 200;

// One part of a parsed URL; empty when it has none.
std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK || !text) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
  return text;
}

bool is_unreserved(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string Url::origin() const {
  const bool brackets = host.find(':') != std::string::npos;
  return scheme + "://" + (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Url::shown(const config::Mask& mask) const {
  const bool brackets = host.find(':') != std::string::npos;
  std::string shown_text = scheme + "://" + (brackets ? "[" + host + "]" : host);
  if (port != (secure() ? 443 : 80)) shown_text += ":" + std::to_string(port);
  const auto part = mask.apply(path, kShownPathBytes);
  shown_text += part.text;
  if (part.taken < path.size()) shown_text += "…";
  if (has_query) shown_text += "?…";
  return shown_text;
}

Result<Url> parse_url(std::string_view text) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (!parsed) return fail(ErrorCode::no_memory, "no memory to parse a URL");
  Url url;
  url.text = text;
  const CURLUcode problem = curl_url_set(parsed.get(), CURLUPART_URL, url.text.c_str(), 0);
  if (problem != CURLUE_OK) {
    // The rest, and what stands before an @, may be secret.
    const size_t host = text.find("://") == std::string_view::npos ? 0 : text.find("://") + 3;
    std::string_view authority = text.substr(host, text.find_first_of("/?#", host) - host);
    authority.remove_prefix(std::min(authority.rfind('@') + 1, authority.size()));
    return fail(ErrorCode::malformed,
                "the URL of host " + excerpt(authority) + " cannot be asked: " + curl_url_strerror(problem));
  }
  url.scheme = part(parsed.get(), CURLUPART_SCHEME);
  url.host = part(parsed.get(), CURLUPART_HOST);
  std::transform(url.host.begin(), url.host.end(), url.host.begin(), [](unsigned char c) { return std::tolower(c); });
  if (url.host.size() > 2 && url.host.front() == '[') url.host = url.host.substr(1, url.host.size() - 2);
  url.path = part(parsed.get(), CURLUPART_PATH);
  url.has_query = !part(parsed.get(), CURLUPART_QUERY).empty();
  const std::string port = part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), url.port);
  if ((url.scheme != "http" && url.scheme != "https") || url.host.empty() || url.port == 0) {
    return fail(ErrorCode::malformed, "a URL of scheme \"" + url.scheme + "\" is not asked; only http and https are");
  }
  return url;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

std::optional<std::string_view> UrlVariables::variable(std::string_view name) const {
  const auto plain = plain_.variable(name);
  if (!plain) return std::nullopt;
  encoded_ = percent_encode(*plain);
  return encoded_;
}

}  // namespace slosonde::checks
