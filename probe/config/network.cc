#include "probe/config/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace slosonde::config {
namespace {

bool parses_as(int family, std::string_view text) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(family, std::string(text).c_str(), bytes) == 1;
}

// Letters of RFC 952 and 1123 names, and the underscore that container networks use.
bool is_host_name(std::string_view host) {
  constexpr size_t kLongest = 253;
  const auto is_fit = [](char c) {
    return c == '.' || c == '-' || c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9');
  };
  return !host.empty() && host.size() <= kLongest && std::all_of(host.begin(), host.end(), is_fit);
}

bool take_port(std::string_view text, uint16_t& port) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  return problem == std::errc{} && end == text.data() + text.size() && !text.empty();
}

UrlMistake bad_url(std::string message) {
  return {Rule::bad_url, std::move(message)};
}

std::optional<UrlMistake> check_authority(std::string_view authority) {
  if (authority.find("{{") != std::string_view::npos)
    return bad_url("a placeholder in the host; placeholders stand after the host, in the path or the query");
  if (authority.find('@') != std::string_view::npos)
    return UrlMistake{Rule::url_credentials,
                      "credentials in a URL end up in logs and views; give them with the keys for credentials"};
  std::string_view host = authority;
  if (host.starts_with('[')) {
    const size_t close = host.find(']');
    if (close == std::string_view::npos || !parses_as(AF_INET6, host.substr(1, close - 1)))
      return bad_url("no IPv6 address in the brackets; write https://[::1]:8080/");
    host.remove_prefix(close + 1);
    if (host.empty()) return std::nullopt;
  } else {
    const size_t colon = host.find(':');
    if (!is_host_name(host.substr(0, colon)))
      return bad_url("no host after ://; a host is a name or an address, of letters, digits, dots and hyphens");
    host.remove_prefix(colon == std::string_view::npos ? host.size() : colon);
    if (host.empty()) return std::nullopt;
  }
  uint16_t port = 0;
  if (!host.starts_with(':') || !take_port(host.substr(1), port) || port == 0)
    return bad_url("what follows the host is no port; a port is written :1 to :65535");
  return std::nullopt;
}

}  // namespace

std::optional<HostPort> parse_address(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  HostPort result;
  if (text.starts_with(kUnix)) {
    // sockaddr_un holds 107 characters and a zero.
    constexpr size_t kLongest = 107;
    result.host = text.substr(kUnix.size());
    result.is_unix = true;
    if (!result.host.starts_with('/') || result.host.size() > kLongest) return std::nullopt;
    return result;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !take_port(text.substr(colon + 1), result.port)) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!parses_as(AF_INET6, host)) return std::nullopt;
  } else if (!is_host_name(host)) {
    return std::nullopt;
  }
  result.host = host;
  return result;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  if (parses_as(AF_INET, host)) return host.starts_with("127.");
  in6_addr v6{};
  return inet_pton(AF_INET6, std::string(host).c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool is_numeric_host(std::string_view host) {
  return parses_as(AF_INET, host) || parses_as(AF_INET6, host);
}

bool is_local(std::string_view address) {
  const std::optional<HostPort> parsed = parse_address(address);
  return parsed && (parsed->is_unix || is_loopback_host(parsed->host));
}

std::optional<UrlMistake> check_url(std::string_view url) {
  for (const char c : url)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      return bad_url("a control character or line break; a URL is one line");
  const size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
  if (scheme != "http" && scheme != "https") return bad_url("a URL here begins with http:// or https://");
  const std::string_view rest = url.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (std::optional<UrlMistake> mistake = check_authority(authority)) return mistake;
  // Blanks may stand within {{ }} only.
  std::string_view tail = rest.substr(authority.size());
  while (!tail.empty()) {
    const size_t open = tail.find("{{");
    if (tail.substr(0, open).find(' ') != std::string_view::npos) return bad_url("a blank in the URL; write it as %20");
    if (open == std::string_view::npos) break;
    const size_t close = tail.find("}}", open);
    if (close == std::string_view::npos) break;
    tail.remove_prefix(close + 2);
  }
  return std::nullopt;
}

}  // namespace slosonde::config
