#include "checks/net/excerpt.h"

#include "probe/config/utf8.h"

namespace slosonde::checks {
namespace {

// The last place at or before `most` that is not within a character.
size_t whole_characters(std::string_view text, size_t most) {
  if (most >= text.size()) return text.size();
  for (size_t back = 0; back < 4 && back < most; ++back)
    if ((static_cast<unsigned char>(text[most - back]) & 0xc0) != 0x80) return most - back;
  return most;
}

std::string printable(std::string_view text) {
  std::string shown;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const size_t length = config::utf8_length(rest);
    const auto first = static_cast<unsigned char>(rest[0]);
    const bool is_control = first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && rest[1] < '\xa0');
    if (length == 0 || is_control) {
      shown += '.';
    } else {
      shown += rest.substr(0, length);
    }
    at += length == 0 ? 1 : length;
  }
  return shown;
}

}  // namespace

std::string excerpt(std::string_view text, const config::Mask& mask, size_t most) {
  if (text.empty()) return "nothing";
  const auto part = mask.apply(text, whole_characters(text, most));
  std::string shown = "\"" + printable(part.text) + "\"";
  if (part.taken < text.size()) shown += " and " + std::to_string(text.size() - part.taken) + " bytes more";
  return shown;
}

std::string excerpt(std::string_view text, size_t most) {
  return excerpt(text, config::Mask(), most);
}

}  // namespace slosonde::checks
