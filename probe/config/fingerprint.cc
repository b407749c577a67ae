#include <openssl/evp.h>

#include <array>
#include <bit>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>

#include "probe/config/entry.h"

namespace slosonde::config {
namespace {

// Every piece goes in with its length, so that different values never make the same bytes.
class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) std::abort();
  }

  void add(std::string_view bytes) {
    add(bytes.size());
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }
  void add(uint64_t number) { EVP_DigestUpdate(context_.get(), &number, sizeof number); }

  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
    std::string text;
    for (unsigned i = 0; i < length; ++i) {
      std::array<char, 3> two{};
      std::snprintf(two.data(), two.size(), "%02x", digest[i]);
      text += two.data();
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// One overload per alternative of EntryValue.
struct Feed {
  Hasher& hasher;

  void operator()(const std::string& text) const { hasher.add(text); }
  void operator()(const Template& text) const { hasher.add(text.source()); }
  void operator()(const Secret& secret) const { hasher.add(secret.reveal()); }
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
