// TLS contexts: made once for each set of settings, since parsing the system's CA bundle alone takes 28 ms.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "probe/base/result.h"
#include "probe/io/certificate.h"
#include "probe/io/stream.h"

namespace slosonde::io {

// Engine thread. A file that has changed on disk is read again.
class TlsContexts {
 public:
  Result<std::shared_ptr<boost::asio::ssl::context>> get(const TlsSettings& settings);

 private:
  static constexpr size_t kMost = 64;  // settings come from the configuration; beyond this all are made anew
  std::map<std::string, std::shared_ptr<boost::asio::ssl::context>> made_;
};

// The name the peer must bear: SNI and verification. `host` may be a name or a numeric address.
Result<void> expect_peer(SSL* connection, const std::string& host, bool verify);

// Why a handshake failed: tls_certificate when the certificate was the reason, else tls_failed.
Error handshake_error(SSL* connection, const std::string& where, const std::string& reason);

}  // namespace slosonde::io
