#include "exporter/web/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <utility>

#include "probe/config/source.h"

namespace slosonde::exporter {
namespace {

constexpr size_t kMaxPemBytes = 1024 * 1024;

tl::unexpected<config::Problem> mistake(const config::PemFile& file, std::string_view key, std::string message) {
  ERR_clear_error();
  return tl::unexpected(
      config::Problem{file.position, "tls_server_config." + std::string(key), std::move(message), {}});
}

// Read whole first: OpenSSL would read a file of any size, and wait on a pipe.
std::optional<std::string> unreadable(const config::PemFile& file) {
  auto text = config::read_small_file(file.path, kMaxPemBytes);
  if (!text) return text.error().text;
  explicit_bzero(text->data(), text->size());
  return {};
}

// A key that is encrypted is a mistake: nobody is there to be asked for its password.
int no_password(char*, int, int, void*) {
  return -1;
}

int accept_any(int, X509_STORE_CTX*) {
  return 1;
}

int verify_mode(config::ClientAuth auth) {
  switch (auth) {
    case config::ClientAuth::none:
      return SSL_VERIFY_NONE;
    case config::ClientAuth::request:
    case config::ClientAuth::verify_if_given:
      return SSL_VERIFY_PEER;
    case config::ClientAuth::require_any:
    case config::ClientAuth::require_and_verify:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

void set_up(SSL_CTX* context, const config::TlsServer& tls) {
  const auto number = [](config::TlsVersion version) {
    return version == config::TlsVersion::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  };
  SSL_CTX_set_min_proto_version(context, number(tls.min));
  SSL_CTX_set_max_proto_version(context, number(tls.max));
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  // No resumption: callers keep their connection, and a session would outlive the certificate it was opened with.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context, no_password);
  const bool any = tls.client_auth == config::ClientAuth::request || tls.client_auth == config::ClientAuth::require_any;
  SSL_CTX_set_verify(context, verify_mode(tls.client_auth), any ? accept_any : nullptr);
}

}  // namespace

tl::expected<TlsContext, config::Problem> make_tls_context(const config::TlsServer& tls) {
  const TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return mistake(tls.certificate, "cert_file", "there is no memory for TLS");
  set_up(context.get(), tls);
  if (const auto why = unreadable(tls.certificate)) return mistake(tls.certificate, "cert_file", *why);
  if (SSL_CTX_use_certificate_chain_file(context.get(), tls.certificate.path.c_str()) != 1)
    return mistake(tls.certificate, "cert_file",
                   tls.certificate.path +
                       " holds no certificate that can be used; a chain in PEM is expected, the "
                       "server's own first");
  if (const auto why = unreadable(tls.key)) return mistake(tls.key, "key_file", *why);
  if (SSL_CTX_use_PrivateKey_file(context.get(), tls.key.path.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1)
    return mistake(tls.key, "key_file",
                   tls.key.path +
                       " holds no key of the certificate; its private key in PEM is expected, without a "
                       "password");
  if (tls.client_ca.path.empty()) return context;
  if (const auto why = unreadable(tls.client_ca)) return mistake(tls.client_ca, "client_ca_file", *why);
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(tls.client_ca.path.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context.get(), tls.client_ca.path.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return mistake(tls.client_ca, "client_ca_file",
                   tls.client_ca.path + " holds no certificate of an authority; PEM is expected");
  }
  SSL_CTX_set_client_CA_list(context.get(), names);
  return context;
}

}  // namespace slosonde::exporter
