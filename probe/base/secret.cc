#include "probe/base/secret.h"

#include <cstring>
#include <utility>

namespace slosonde {

Secret::Secret(Secret&& other) noexcept : text_(other.text_) {
  other.wipe();
}

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    text_ = other.text_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = other.text_;
    other.wipe();
  }
  return *this;
}

Secret::~Secret() {
  wipe();
}

void Secret::wipe() {
  explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

bool Secret::equals(std::string_view other) const {
  if (text_.size() != other.size()) return false;
  unsigned char differs = 0;
  for (size_t i = 0; i < text_.size(); ++i)
    differs |= static_cast<unsigned char>(text_[i]) ^ static_cast<unsigned char>(other[i]);
  return differs == 0;
}

}  // namespace slosonde
