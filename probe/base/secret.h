// A text that must not be shown: keys, passwords, tokens.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace slosonde {

// Owns its bytes and wipes them at the end. It has no operator<<, no conversion and no formatter, so that printing,
// logging or serialising one does not compile; reveal() is the one way in, and easy to search for.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept;
  Secret& operator=(const Secret&);
  Secret& operator=(Secret&&) noexcept;
  ~Secret();

  // For handing to the library that needs it; do not keep the view.
  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

  // Compares in a time that depends on the lengths only.
  bool equals(std::string_view other) const;

 private:
  void wipe();
  std::string text_;
};

// What every view shows in a secret's place.
inline constexpr std::string_view kSecretShown = "<secret>";

}  // namespace slosonde
