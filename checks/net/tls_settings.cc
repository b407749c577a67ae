#include "checks/net/tls_settings.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

namespace slosonde::checks {

namespace {

using config::Key;
using config::Type;

constexpr std::array<std::string_view, 2> kVersions = {"1.2", "1.3"};

void needs_both(const config::Values& values, config::Problems& problems) {
  if (values.has("certificate_file") == values.has("key_file")) return;
  problems.add(values.position(), values.path(),
               "a client certificate is two files; give both `certificate_file` and `key_file`");
}

constexpr std::array<Key, 6> kKeys = {{
    {.name = "ca_file", .type = Type::path, .help = "Whom to trust, PEM. Default: the system's."},
    {.name = "certificate_file", .type = Type::path, .help = "Our own certificate with its chain, PEM."},
    {.name = "key_file", .type = Type::path, .help = "The key of our own certificate, PEM."},
    {.name = "server_name",
     .help = "The name the certificate must bear, where it is not the host's.",
     .min = "1",
     .max = "253",
     .open = true},
    {.name = "min_version",
     .type = Type::choice,
     .help = "The oldest version of TLS that is spoken.",
     .fallback = "1.2",
     .choices = kVersions},
    {.name = "verify", .type = Type::boolean, .help = "Whether the certificate is checked at all.", .fallback = "true"},
}};
constexpr config::Block kBlock{.name = "tls", .help = "How TLS is spoken.", .keys = kKeys, .rule = needs_both};

}  // namespace

const config::Block* tls_block() {
  return &kBlock;
}

io::TlsSettings tls_settings(const config::Values& tls) {
  io::TlsSettings made;
  if (tls.has("ca_file")) made.ca_file = tls.text("ca_file");
  if (tls.has("certificate_file")) made.certificate_file = tls.text("certificate_file");
  if (tls.has("key_file")) made.key_file = tls.text("key_file");
  if (tls.has("server_name")) made.server_name = tls.text("server_name");
  made.min_version = tls.text("min_version") == "1.3" ? 13 : 12;
  made.verify = tls.boolean("verify");
  return made;
}

Result<void> check_tls_files(const io::TlsSettings& tls) {
  for (const std::string* file : {&tls.ca_file, &tls.certificate_file, &tls.key_file}) {
    if (!file->empty() && access(file->c_str(), R_OK) != 0) {
      const std::string what = file == &tls.ca_file            ? "ca_file "
                               : file == &tls.certificate_file ? "certificate_file "
                                                               : "key_file ";
      return fail(error_from_errno(errno, what + *file));
    }
  }
  return {};
}

}  // namespace slosonde::checks
