#include "probe/io/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace slosonde::io {

namespace asio = boost::asio;

namespace {

// Changes when the file does.
std::string stamp(const std::string& file) {
  if (file.empty()) return "-|";
  struct stat state {};
  if (stat(file.c_str(), &state) != 0) return file + " ?|";
  return file + " " + std::to_string(state.st_ino) + " " + std::to_string(state.st_mtim.tv_sec) + "." +
         std::to_string(state.st_mtim.tv_nsec) + " " + std::to_string(state.st_size) + "|";
}

std::string openssl_reason() {
  const unsigned long number = ERR_peek_last_error();
  const char* text = number == 0 ? nullptr : ERR_reason_error_string(number);
  ERR_clear_error();
  return text ? text : "unknown reason";
}

// A file that OpenSSL would not take: whether it is our permissions, its absence or its content.
Error file_error(const std::string& what, const std::string& file) {
  const std::string reason = openssl_reason();
  if (FILE* opened = std::fopen(file.c_str(), "re")) {
    std::fclose(opened);
    return {ErrorCode::bad_config, what + " " + file + " does not read as PEM: " + reason};
  }
  return error_from_errno(errno, what + " " + file);
}

Result<void> fill(SSL_CTX* context, const TlsSettings& settings) {
  SSL_CTX_set_min_proto_version(context, settings.min_version >= 13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_verify(context, settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (settings.verify) {
    const std::string file = settings.ca_file.empty() ? system_ca_file() : settings.ca_file;
    if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) return fail(file_error("the CA file", file));
  }
  if (!settings.certificate_file.empty() &&
      SSL_CTX_use_certificate_chain_file(context, settings.certificate_file.c_str()) != 1) {
    return fail(file_error("the client certificate", settings.certificate_file));
  }
  if (!settings.key_file.empty() &&
      SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail(file_error("the client certificate's key", settings.key_file));
  }
  return {};
}

}  // namespace

std::string system_ca_file() {
  const char* named = std::getenv("SSL_CERT_FILE");
  return named && *named ? named : "/etc/ssl/certs/ca-certificates.crt";
}

Result<std::shared_ptr<asio::ssl::context>> TlsContexts::get(const TlsSettings& settings) {
  std::string key = stamp(settings.verify && settings.ca_file.empty() ? system_ca_file() : settings.ca_file);
  key += stamp(settings.certificate_file) + stamp(settings.key_file);
  key += std::to_string(settings.min_version) + (settings.verify ? "v" : "-");
  const auto found = made_.find(key);
  if (found != made_.end()) return found->second;

  SSL_CTX* raw = SSL_CTX_new(TLS_client_method());
  if (!raw) return fail(ErrorCode::no_memory, "no memory for a TLS context: " + openssl_reason());
  auto context = std::make_shared<asio::ssl::context>(raw);
  if (auto filled = fill(raw, settings); !filled) return fail(filled.error());
  if (made_.size() >= kMost) made_.clear();
  made_.emplace(std::move(key), context);
  return context;
}

Result<void> expect_peer(SSL* connection, const std::string& host, bool verify) {
  std::array<unsigned char, 16> number{};
  const bool numeric =
      inet_pton(AF_INET, host.c_str(), number.data()) == 1 || inet_pton(AF_INET6, host.c_str(), number.data()) == 1;
  bool set = true;
  // SNI carries names only.
  if (!numeric) set = SSL_set_tlsext_host_name(connection, host.c_str()) == 1;  // NOLINT: OpenSSL's macro casts
  if (verify && numeric) set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
  if (verify && !numeric) set = set && SSL_set1_host(connection, host.c_str()) == 1;
  if (set) return {};
  return fail(ErrorCode::tls_failed, "\"" + host + "\" cannot be asked for in TLS: " + openssl_reason());
}

Error handshake_error(SSL* connection, const std::string& where, const std::string& reason) {
  ERR_clear_error();
  const long verdict = SSL_get_verify_result(connection);
  if (verdict == X509_V_OK) return {ErrorCode::tls_failed, where + ": the TLS handshake failed: " + reason};
  return {ErrorCode::tls_certificate,
          where + ": the certificate is not acceptable: " + X509_verify_cert_error_string(verdict)};
}

std::optional<Instant> peer_certificate_expiry(SSL* connection) {
  X509* certificate = SSL_get0_peer_certificate(connection);
  if (!certificate) return std::nullopt;
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return std::nullopt;
  // "Never" is written as the year 9999, which is beyond what an Instant holds.
  const int64_t when = std::min<int64_t>(timegm(&parts), 9'000'000'000);
  return instant_from_unix_ns(when * 1'000'000'000);
}

}  // namespace slosonde::io
