// Values as bytes and back, for what is stored: numbers of any size in few bytes, texts with their length.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probe/base/time.h"

namespace slosonde {

class ByteWriter {
 public:
  void put(uint64_t number);        // as a varint: seven bits a byte
  void put_signed(int64_t number);  // small ones of either sign are short
  void put(std::string_view text);
  void put(const std::string& text) { put(std::string_view(text)); }
  void put(const char* text) = delete;  // would be a bool
  void put(Instant t) { put_signed(unix_ns(t)); }
  void put(Duration d) { put_signed(d.count()); }
  void put(bool flag) { put(uint64_t{flag}); }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reads in the order of writing. After the first thing that cannot be read, everything reads as 0 or empty: the reader
// asks once, at the end, whether all was there.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint64_t number();
  uint64_t number(uint64_t most);  // a greater one cannot be read
  int64_t signed_number();
  std::string text(size_t most);
  Instant instant() { return instant_from_unix_ns(signed_number()); }
  Duration duration() { return Duration(signed_number()); }
  bool flag() { return number(1) == 1; }
  template <class Read>
  auto maybe(Read read) -> std::optional<decltype(read())> {
    if (!flag()) return std::nullopt;
    return read();
  }

  // All was there, and nothing is left.
  bool ended_well() const { return !failed_ && rest_.empty(); }
  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace slosonde
