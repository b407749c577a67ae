#include "exporter/web/host.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace slosonde::exporter {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

bool names_host_by_address(const RequestHead& head) {
  const std::string* header = head.header("host");
  if (!header) return true;  // HTTP/1.0: no browser speaks it
  std::string_view host = *header;
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  if (equal_ignoring_case(host, "localhost")) return true;
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace slosonde::exporter
