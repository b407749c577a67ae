#include "probe/base/bytes.h"

namespace slosonde {

void ByteWriter::put(uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes_.push_back(static_cast<char>(number | 0x80));
  bytes_.push_back(static_cast<char>(number));
}

void ByteWriter::put_signed(int64_t number) {
  const auto bits = static_cast<uint64_t>(number);
  put((bits << 1) ^ (number < 0 ? ~uint64_t{0} : 0));
}

void ByteWriter::put(std::string_view text) {
  put(uint64_t{text.size()});
  bytes_.append(text);
}

uint64_t ByteReader::number() {
  uint64_t value = 0;
  for (int shift = 0; !failed_; shift += 7) {
    if (rest_.empty() || shift >= 64) {
      failed_ = true;
      break;
    }
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return 0;
}

uint64_t ByteReader::number(uint64_t most) {
  const uint64_t value = number();
  if (value <= most) return value;
  failed_ = true;
  return 0;
}

int64_t ByteReader::signed_number() {
  const uint64_t bits = number();
  return static_cast<int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
}

std::string ByteReader::text(size_t most) {
  const uint64_t size = number(most);
  if (failed_ || size > rest_.size()) {
    failed_ = true;
    return {};
  }
  std::string made(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return made;
}

}  // namespace slosonde
