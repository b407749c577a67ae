#include <bit>
#include <boost/json/serialize.hpp>

#include "probe/config/entry.h"
#include "probe/ledger/mac.h"

namespace slosonde::config {
namespace {

// Fingerprints only have to differ where values do; that the key is no secret does not matter.
const ledger::Mac& mac() {
  static thread_local const ledger::Mac kMac{Secret("slosonde fingerprint")};
  return kMac;
}

// Every piece goes in with its length, so that different values never make the same bytes.
class Hasher {
 public:
  void add(std::string_view bytes) {
    add(bytes.size());
    bytes_ += bytes;
  }
  void add(uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>(number >> shift & 0xFF);
  }
  // Only its digest: these bytes are not wiped.
  void add(const Secret& secret) {
    const ledger::Digest digest = mac().of('s', secret.reveal());
    add(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  }

  std::string hex() const {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const uint8_t byte : mac().of('f', bytes_)) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    return text;
  }

 private:
  std::string bytes_;
};

// One overload per alternative of EntryValue.
struct Feed {
  Hasher& hasher;

  void operator()(const std::string& text) const { hasher.add(text); }
  void operator()(const Template& text) const { hasher.add(text.source()); }
  void operator()(const Secret& secret) const { hasher.add(secret); }
  void operator()(bool value) const { hasher.add(value ? 1U : 0U); }
  void operator()(int64_t value) const { hasher.add(static_cast<uint64_t>(value)); }
  void operator()(double value) const { hasher.add(std::bit_cast<uint64_t>(value)); }
  void operator()(Share value) const { hasher.add(static_cast<uint64_t>(value.ppb)); }
  void operator()(Duration value) const { hasher.add(static_cast<uint64_t>(value.count())); }
  void operator()(Bytes value) const { hasher.add(value.count); }
  void operator()(const JsonPath& path) const { hasher.add(path.source()); }
  void operator()(const boost::json::value& value) const { hasher.add(boost::json::serialize(value)); }
  void operator()(const Values& values) const { hasher.add(values.fingerprint()); }

  template <class T>
  void operator()(const std::vector<T>& list) const {
    hasher.add(list.size());
    for (const T& item : list) (*this)(item);
  }
  template <class T>
  void operator()(const std::pair<std::string, T>& member) const {
    hasher.add(member.first);
    (*this)(member.second);
  }
};

}  // namespace

std::string fingerprint_of(const std::vector<Entry>& entries) {
  Hasher hasher;
  // In the order of the declaration, in which the builder lays the entries.
  for (const Entry& entry : entries) {
    hasher.add(entry.key);
    hasher.add(static_cast<uint64_t>(entry.type));
    std::visit(Feed{hasher}, entry.value);
  }
  return hasher.hex();
}

}  // namespace slosonde::config
