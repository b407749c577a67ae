#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "probe/config/template.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (c >= 0x20) {
    out += static_cast<char>(c);
    return;
  }
  std::array<char, 8> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04x", c);
  out += escape.data();
}

// RFC 8259, section 7. What a target's answer left in a capture need not be UTF-8: malformed bytes become U+FFFD.
void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (length == 1) {
      append_escaped(out, static_cast<unsigned char>(text[0]));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

void append_text(std::string& out, std::string_view text, const Variables& variables) {
  if (text.find("{{") == std::string_view::npos) return append_string(out, text);
  const Result<Template> parsed = Template::parse(text);
  append_string(out, parsed ? parsed->render(variables) : std::string(text));
}

// As deep as the file that the value was read from, which is bounded.
void append(std::string& out, const boost::json::value& value, const Variables& variables) {
  if (const auto* text = value.if_string()) return append_text(out, {text->data(), text->size()}, variables);
  if (const auto* items = value.if_array()) {
    out += '[';
    for (size_t i = 0; i < items->size(); ++i) {
      if (i > 0) out += ',';
      append(out, (*items)[i], variables);
    }
    out += ']';
  } else if (const auto* members = value.if_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *members) {
      if (!first) out += ',';
      first = false;
      append_string(out, {key.data(), key.size()});
      out += ':';
      append(out, member, variables);
    }
    out += '}';
  } else {
    out += boost::json::serialize(value);
  }
}

}  // namespace

std::string render_json(const boost::json::value& value, const Variables& variables) {
  std::string out;
  append(out, value, variables);
  return out;
}

}  // namespace slosonde::config
