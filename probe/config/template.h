// Text with {{placeholders}}, parsed when the file is loaded and rendered for every run.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/base/result.h"

namespace slosonde::config {

// What a run can say of itself: marker traceparent payload transaction stage probe region zone seq due_unix_ms
// captured.NAME. Text that holds {{ for another purpose writes {{"{{"}}.
extern const std::span<const std::string_view> kPlaceholders;

// Letters, digits and _, not beginning with a digit, at most 63: what may follow `captured.`.
bool is_capture_name(std::string_view name);

// Looks a placeholder up while rendering; nothing for a capture that the run does not have (rendered as empty text).
class Variables {
 public:
  virtual ~Variables() = default;
  virtual std::optional<std::string_view> variable(std::string_view name) const = 0;
};

// Immutable; any thread.
class Template {
 public:
  Template() = default;
  // Unknown placeholders and unclosed braces are errors with a suggestion. Blanks within the braces are allowed; of
  // three and more opening braces the last two count, so that JSON's own may stand before a placeholder.
  static Result<Template> parse(std::string_view text);

  std::string render(const Variables& variables) const;
  const std::string& source() const { return source_; }
  bool is_constant() const { return pieces_.size() <= 1 && (pieces_.empty() || !pieces_[0].is_placeholder); }
  // The names used, for rules such as "captured.id is captured by an earlier stage".
  std::vector<std::string> placeholders() const;

 private:
  struct Piece {
    bool is_placeholder = false;
    std::string text;
  };
  std::string source_;
  std::vector<Piece> pieces_;
};

// Renders every text of a JSON value as a template and serialises it, escaped as JSON wants it. The texts were checked
// when the value was loaded.
std::string render_json(const boost::json::value& value, const Variables& variables);

}  // namespace slosonde::config
