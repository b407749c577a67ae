// TCP and TLS connections on the engine's loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>

#include "probe/base/result.h"
#include "probe/io/boot_clock.h"
#include "probe/io/io.h"
#include "probe/io/stream.h"
#include "probe/io/tls.h"

namespace slosonde::io {

// Instants are turned into boot times with `offset`, see boot_time().
struct ConnectContext {
  boost::asio::any_io_executor executor;
  Duration offset{};
  std::shared_ptr<TlsContexts> contexts;
};

// As Io::connect. With TLS and no server name in the settings the certificate must bear the address.
boost::asio::awaitable<Result<std::unique_ptr<Stream>>> connect_stream(ConnectContext context, Address address,
                                                                       uint16_t port, const TlsSettings* tls,
                                                                       Instant deadline);

}  // namespace slosonde::io
