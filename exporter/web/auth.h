// Who may speak: bearer tokens and HMAC signatures.
#pragma once

#include <string_view>

#include "exporter/web/request.h"
#include "probe/base/secret.h"

namespace slosonde::exporter {

// Authorization: Bearer <token>. Compares in a time that depends on the lengths only.
bool bears_token(const RequestHead& head, const Secret& token);

// X-Slosonde-Signature or X-Hub-Signature-256: sha256=<hex of HMAC-SHA-256(key, body)> (RFC 2104).
bool is_signed(const RequestHead& head, std::string_view body, const Secret& key);

// Host names this machine alone, by address or as localhost. A page in a browser can be made to call a listener on
// loopback under its own name (DNS rebinding), but not under one of these.
bool names_host_by_address(const RequestHead& head);

}  // namespace slosonde::exporter
