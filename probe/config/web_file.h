// The second file, `web_config`: that of Prometheus' exporter toolkit, as far as it is understood here. TLS, client
// certificates and basic auth of a listener.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/base/result.h"
#include "probe/base/secret.h"
#include "probe/config/block.h"

namespace slosonde::config {

struct Source;

// The toolkit's names, which are those of Go's crypto/tls.
enum class ClientAuth : uint8_t {
  none,
  request,             // RequestClientCert: any will do, and none
  require_any,         // RequireAnyClientCert: whoever issued it
  verify_if_given,     // VerifyClientCertIfGiven
  require_and_verify,  // RequireAndVerifyClientCert
};
enum class TlsVersion : uint8_t { tls12, tls13 };

// A file that is read again when it changes.
struct PemFile {
  std::string path;  // empty: not given
  Position position;
};

struct TlsServer {
  PemFile certificate, key, client_ca;
  ClientAuth client_auth = ClientAuth::none;
  TlsVersion min = TlsVersion::tls12, max = TlsVersion::tls13;
};

struct WebUser {
  std::string name;
  Secret hash;  // bcrypt's, well-formed
};

struct WebFile {
  std::string name;  // as errors show it
  std::optional<TlsServer> tls;
  std::vector<WebUser> users;  // none: no password is asked for
};

// Every mistake at once, or the whole file; the PEM files are not looked at. Bounded as load() is.
tl::expected<WebFile, Problems> read_web_file(const Source& source);

// As the reference page needs it.
const Block& web_file_block();

}  // namespace slosonde::config
