#include "checks/net/excerpt.h"

#include "probe/config/utf8.h"

namespace slosonde::checks {

std::string excerpt(std::string_view text, size_t most) {
  if (text.empty()) return "nothing";
  std::string shown = "\"";
  size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    const size_t length = config::utf8_length(rest);
    const size_t step = length == 0 ? 1 : length;
    if (at + step > most) break;
    const auto first = static_cast<unsigned char>(rest[0]);
    const bool is_control = first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && rest[1] < '\xa0');
    if (length == 0 || is_control) {
      shown += '.';
    } else {
      shown += rest.substr(0, length);
    }
    at += step;
  }
  shown += '"';
  if (at < text.size()) shown += " and " + std::to_string(text.size() - at) + " bytes more";
  return shown;
}

}  // namespace slosonde::checks
