// What must never be shown, and what is shown in its place: the secrets of a configuration, and what `${env:NAME}` and
// `${file:PATH}` stand for within the settings of its kinds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probe/base/secret.h"

namespace slosonde::config {

// Filled while a file is loaded, immutable afterwards; any thread then. Owns wiped copies of what it hides.
class Mask {
 public:
  // From now on `value` is shown as `shown`, also as URLs, JSON, HTML and base64 carry it; of several lines each by
  // itself. One that is shorter than 6 bytes is hidden only where it stands alone, lest other words suffer.
  void hide(std::string_view value, std::string_view shown);

  // `text` without anything hidden; where it was cut off within something hidden, without that part.
  std::string apply(std::string_view text) const { return apply(text, text.size()).text; }

  // The same for the first `most` bytes; what is hidden and begins there is taken whole.
  struct Part {
    std::string text;
    size_t taken = 0;  // bytes of the original that `text` stands for
  };
  Part apply(std::string_view text, size_t most) const;

 private:
  enum class Reach : uint8_t {
    anywhere,
    alone,       // not next to letters and digits
    base64_run,  // together with the characters of base64 around it
  };
  struct Hidden {
    Secret text;
    std::string shown;
    Reach reach;
  };
  struct Match {
    size_t from = 0, length = 0;
    const Hidden* hidden = nullptr;
  };

  void add(std::string_view text, std::string_view shown, Reach reach);
  void hide_forms(std::string_view value, std::string_view shown, Reach reach);
  Match next(std::string_view text, size_t from, size_t before) const;

  std::vector<Hidden> hidden_;  // longest first
};

}  // namespace slosonde::config
