#include "exporter/web/host.h"

#include <string>
#include <string_view>

#include "probe/base/ascii.h"

namespace slosonde::exporter {

bool names_host_by_address(const RequestHead& head) {
  const std::string* header = head.header("host");
  if (!header) return true;  // HTTP/1.0: no browser speaks it
  std::string_view host = *header;
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  if (same_ignoring_case(host, "localhost")) return true;
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace slosonde::exporter
