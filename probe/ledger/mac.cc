#include "probe/ledger/mac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace slosonde::ledger {

namespace {

// Without a working MAC nothing that follows could be trusted: better no probe than one that accepts anything.
void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "slosonde: %s; markers cannot be signed\n", what);
  std::abort();
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void Mac::Free::operator()(EVP_MAC_CTX* context) const {
  EVP_MAC_CTX_free(context);
}

Mac::Mac(const Secret& key) {
  demand(!key.empty(), "the key is empty");
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  demand(mac != nullptr, "libcrypto offers no HMAC");
  context_.reset(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);  // the context holds its own reference
  demand(context_ != nullptr, "libcrypto has no memory for HMAC");
  std::string digest = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                               OSSL_PARAM_construct_end()};
  const std::string_view secret = key.reveal();
  demand(EVP_MAC_init(context_.get(), bytes(secret), secret.size(), params) == 1, "libcrypto refuses HMAC-SHA-256");
}

Digest Mac::of(char domain, std::string_view text) const {
  EVP_MAC_CTX* context = context_.get();
  Digest digest{};
  size_t length = 0;
  // Without a key the context starts over with the one it has.
  const bool made = EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&
                    EVP_MAC_update(context, bytes(std::string_view(&domain, 1)), 1) == 1 &&
                    EVP_MAC_update(context, bytes(text), text.size()) == 1 &&
                    EVP_MAC_final(context, digest.data(), &length, digest.size()) == 1;
  demand(made && length == digest.size(), "HMAC-SHA-256 failed");
  return digest;
}

}  // namespace slosonde::ledger
