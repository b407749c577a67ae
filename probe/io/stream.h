// A connected byte stream, plain or TLS.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "probe/base/result.h"
#include "probe/base/secret.h"
#include "probe/base/time.h"

namespace slosonde::io {

struct TlsSettings {
  std::string server_name;       // SNI and the name the certificate must bear; empty: the host asked for
  std::string ca_file;           // empty: the system's
  std::string certificate_file;  // client certificate chain, PEM; empty: none
  std::string key_file;
  int min_version = 12;  // 12: TLS 1.2, 13: TLS 1.3
  bool verify = true;
};

// Engine thread. Closes at its end.
class Stream {
 public:
  virtual ~Stream() = default;

  // Writes all of `bytes`, which must stay alive meanwhile. Codes: send_failed, timeout, cancelled.
  virtual boost::asio::awaitable<Result<void>> write(std::string_view bytes, Instant deadline) = 0;
  // At least one byte into `space`; 0 at the end of the stream. Codes: connection_lost, timeout, cancelled.
  virtual boost::asio::awaitable<Result<size_t>> read(std::span<char> space, Instant deadline) = 0;

  // How long the bytes of the last read() had been there when it was over; 0 unless that was after its deadline.
  virtual Duration waited() const = 0;

  virtual std::optional<Instant> certificate_expiry() const = 0;  // the peer's; nothing without TLS
  virtual Duration connect_took() const = 0;
  virtual Duration tls_took() const = 0;  // 0 without TLS
};

}  // namespace slosonde::io
