// HMAC-SHA-256 under one key, ready to be used again and again.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "probe/base/secret.h"

namespace slosonde::ledger {

using Digest = std::array<uint8_t, 32>;

// Keeps a keyed context (HMAC() would derive the key anew each time, five times the cost). One thread at a time. An
// empty key is a mistake of the caller and ends the process, as does libcrypto without HMAC.
class Mac {
 public:
  explicit Mac(const Secret& key);

  // Of `domain` followed by `text`: one key serves several purposes, a domain each.
  Digest of(char domain, std::string_view text) const;

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const;
  };
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

}  // namespace slosonde::ledger
