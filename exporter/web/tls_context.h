// What a listener's TLS is made of: OpenSSL's context from the settings of a web configuration.
#pragma once

#include <openssl/types.h>

#include <memory>

#include "probe/base/result.h"
#include "probe/config/block.h"
#include "probe/config/web_file.h"

namespace slosonde::exporter {

using TlsContext = std::shared_ptr<SSL_CTX>;

// Reads the PEM files; blocks for that. The mistake is that of one key, by its place in the web configuration. Any
// thread.
tl::expected<TlsContext, config::Problem> make_tls_context(const config::TlsServer& tls);

}  // namespace slosonde::exporter
