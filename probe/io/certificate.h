// What is said of certificates to those who have their TLS from elsewhere (libcurl).
#pragma once

#include <optional>
#include <string>

#include "probe/base/time.h"

typedef struct ssl_st SSL;  // NOLINT(modernize-use-using): OpenSSL's own declaration

namespace slosonde::io {

// When the peer's certificate ends; nothing when it showed none.
std::optional<Instant> peer_certificate_expiry(SSL* connection);

// Where Debian keeps the certificates it trusts, or what the environment's SSL_CERT_FILE says.
std::string system_ca_file();

}  // namespace slosonde::io
