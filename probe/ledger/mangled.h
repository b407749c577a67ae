// Reads letters, digits and hyphens out of text that other systems have passed on: in another case, escaped, encoded,
// wrapped.
#pragma once

#include <cstddef>
#include <string_view>

namespace slosonde::ledger {

// What is read as one hyphen: `-`, `%2D` and `%252D` (URL encoding, once and twice), `\u002d` (JSON), `&#45;` and
// `&#x2d;` (HTML), `=2D` (quoted-printable). Skipped, as they break a line: CR, LF, the same as `\n`, `\r` behind up to
// four backslashes or as `%0A`, `%0D`, a soft break `=` at a line's end, and blanks after a break. At most kMostSkipped
// bytes are skipped by one reader, so that reading a token costs a bounded time.
class MangledReader {
 public:
  static constexpr size_t kMostSkipped = 64;

  MangledReader(std::string_view text, size_t at) : text_(text), at_(at) {}

  // 'a'…'z', '0'…'9' or '-'; 0 when the text ends or something else stands here (which is then not passed over).
  char next();
  size_t at() const { return at_; }

 private:
  char peek(size_t offset) const { return at_ + offset < text_.size() ? text_[at_ + offset] : '\0'; }
  bool starts_with(std::string_view lower_case) const;
  bool skip_break();
  bool skip_escaped_break();
  size_t hyphen() const;
  bool pass(size_t count);

  std::string_view text_;
  size_t at_;
  size_t skipped_ = 0;
};

}  // namespace slosonde::ledger
