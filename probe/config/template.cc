#include "probe/config/template.h"

#include <array>
#include <utility>

#include "probe/config/suggest.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

constexpr std::array<std::string_view, 10> kNames = {"marker", "traceparent", "payload", "transaction", "stage",
                                                     "probe",  "region",      "zone",    "seq",         "due_unix_ms"};
constexpr std::string_view kCaptured = "captured.";
constexpr size_t kMaxPlaceholders = 256;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_known(std::string_view name) {
  for (const std::string_view known : kNames)
    if (known == name) return true;
  return name.starts_with(kCaptured) && is_capture_name(name.substr(kCaptured.size()));
}

std::string unknown(std::string_view name) {
  std::string message = "unknown placeholder " + quoted("{{" + std::string(name) + "}}") + "; ";
  if (name.starts_with(kCaptured)) return message + "a capture's name is letters, digits and _, as in {{captured.id}}";
  std::vector<std::string_view> candidates(kNames.begin(), kNames.end());
  candidates.push_back("captured.NAME");
  return message + suggestion(name, candidates);
}

}  // namespace

const std::span<const std::string_view> kPlaceholders = kNames;

bool is_capture_name(std::string_view name) {
  constexpr size_t kLongest = 63;
  return name.size() <= kLongest && is_identifier(name);
}

Result<Template> Template::parse(std::string_view text) {
  Template result;
  result.source_ = text;
  std::string literal;
  size_t count = 0;
  for (size_t at = 0; at < text.size();) {
    size_t open = text.find("{{", at);
    literal += text.substr(at, open == std::string_view::npos ? open : open - at);
    if (open == std::string_view::npos) break;
    // Of three and more braces the last two open: JSON's own brace may stand before a placeholder.
    for (; open + 2 < text.size() && text[open + 2] == '{'; ++open) literal += '{';
    const size_t close = text.find("}}", open + 2);
    if (close == std::string_view::npos)
      return fail(ErrorCode::bad_config, R"(`{{` without its `}}`; a text that means `{{` itself is written {{"{{"}})");
    const std::string_view name = trimmed(text.substr(open + 2, close - open - 2));
    at = close + 2;
    if (name == "\"{{\"") {
      literal += "{{";
      continue;
    }
    if (!is_known(name)) return fail(ErrorCode::bad_config, unknown(name));
    if (++count > kMaxPlaceholders)
      return fail(ErrorCode::bad_config, "more than 256 placeholders in one text; use fewer");
    if (!literal.empty()) result.pieces_.push_back({false, std::exchange(literal, {})});
    result.pieces_.push_back({true, std::string(name)});
  }
  if (!literal.empty()) result.pieces_.push_back({false, std::move(literal)});
  return result;
}

std::string Template::render(const Variables& variables) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    if (!piece.is_placeholder) {
      text += piece.text;
    } else if (const std::optional<std::string_view> value = variables.variable(piece.text)) {
      text += *value;
    }
  }
  return text;
}

std::vector<std::string> Template::placeholders() const {
  std::vector<std::string> names;
  for (const Piece& piece : pieces_)
    if (piece.is_placeholder) names.push_back(piece.text);
  return names;
}

}  // namespace slosonde::config
