// The second file, `web_config`: what is read, and each refusal word for word.
#include "probe/config/web_file.h"

#include <gtest/gtest.h>

#include "probe/config/config.h"

namespace slosonde::config {
namespace {

constexpr std::string_view kHash = "$2y$05$abcdefghijklmnopqrstuuW5zGyVQkWnJcy8vJlVZ0jXK1m2n3o4p";

Source source(const std::string& text) {
  Source source;
  source.name = "web.yml";
  source.text = text;
  source.folder = "/etc/slosonde";
  return source;
}

// The messages, without the file's name.
std::string mistakes(const std::string& text) {
  const auto file = read_web_file(source(text));
  if (file) return "";
  const std::string all = file.error().text("");
  EXPECT_EQ(all.find(kHash), std::string::npos) << "shows a hash";
  return all;
}

std::string with_hash(std::string_view hash) {
  return "basic_auth_users: {prom: '" + std::string(hash) + "'}\n";
}

TEST(WebFile, IsReadWithDefaultsAndPathsOfItsOwnFolder) {
  const auto file = read_web_file(
      source("tls_server_config: {cert_file: tls/cert.pem, key_file: /keys/key.pem}\n" + with_hash(kHash)));
  ASSERT_TRUE(file) << file.error().text("web.yml");
  ASSERT_TRUE(file->tls);
  EXPECT_EQ(file->tls->certificate.path, "/etc/slosonde/tls/cert.pem");
  EXPECT_EQ(file->tls->key.path, "/keys/key.pem");
  EXPECT_EQ(file->tls->client_ca.path, "");
  EXPECT_EQ(file->tls->client_auth, ClientAuth::none);
  EXPECT_EQ(file->tls->min, TlsVersion::tls12);
  EXPECT_EQ(file->tls->max, TlsVersion::tls13);
  ASSERT_EQ(file->users.size(), 1U);
  EXPECT_EQ(file->users[0].name, "prom");
  EXPECT_EQ(file->users[0].hash.reveal(), kHash);
}

TEST(WebFile, TakesEveryWayToAskForACertificate) {
  const std::pair<std::string, ClientAuth> ways[] = {{"RequestClientCert", ClientAuth::request},
                                                     {"RequireAnyClientCert", ClientAuth::require_any},
                                                     {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
                                                     {"RequireAndVerifyClientCert", ClientAuth::require_and_verify}};
  for (const auto& [name, way] : ways) {
    const auto file = read_web_file(
        source("tls_server_config: {cert_file: c, key_file: k, client_ca_file: ca, client_auth_type: " + name +
               ", min_version: TLS13}"));
    ASSERT_TRUE(file) << file.error().text("web.yml");
    EXPECT_EQ(file->tls->client_auth, way);
    EXPECT_EQ(file->tls->client_ca.path, "/etc/slosonde/ca");
    EXPECT_EQ(file->tls->min, TlsVersion::tls13);
  }
}

TEST(WebFile, RefusesByNameWhatIsNotUnderstood) {
  EXPECT_EQ(mistakes("tls_server_config: {cert_file: c, key_file: k, cipher_suites: [TLS_AES_128_GCM_SHA256]}"),
            ":1:48: tls_server_config: `cipher_suites` of the exporter toolkit is not supported here; remove it\n");
  EXPECT_EQ(mistakes(with_hash(kHash) + "http_server_config: {http2: true}"),
            ":2:1: `http_server_config` of the exporter toolkit is not supported here; remove it\n");
  EXPECT_EQ(mistakes(with_hash(kHash) + "basic_auth_user: {}"),
            ":2:1: unknown key `basic_auth_user`; did you mean `basic_auth_users`?\n");
}

TEST(WebFile, RefusesTlsThatCannotBeMeant) {
  EXPECT_EQ(mistakes("tls_server_config: {cert_file: c}"),
            ":1:20: tls_server_config: missing key `key_file`; expected a file's path: The certificate's key, PEM, not "
            "encrypted.\n");
  EXPECT_EQ(mistakes("tls_server_config: {cert_file: c, key_file: k, min_version: TLS10}"),
            ":1:61: tls_server_config.min_version: `TLS10` is not one of the choices; did you mean `TLS12`?\n");
  EXPECT_EQ(mistakes("tls_server_config: {cert_file: c, key_file: k, min_version: TLS13, max_version: TLS12}"),
            ":1:61: tls_server_config.min_version: is over `max_version`; no client could speak with us\n");
  EXPECT_EQ(mistakes("tls_server_config: {cert_file: c, key_file: k, client_ca_file: ca}"),
            ":1:64: tls_server_config.client_ca_file: has no effect: clients are not asked for a certificate; add "
            "`client_auth_type: RequireAndVerifyClientCert`, or remove this\n");
  EXPECT_EQ(
      mistakes("tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequireAndVerifyClientCert}"),
      ":1:66: tls_server_config.client_auth_type: nothing to verify client certificates by; add `client_ca_file`\n");
  EXPECT_EQ(
      mistakes("tls_server_config: {cert_file: c, key_file: k, client_auth_type: Always}"),
      ":1:66: tls_server_config.client_auth_type: `Always` is not one of the choices; expected one of NoClientCert, "
      "RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert\n");
}

TEST(WebFile, RefusesUsersThatCouldNeverLogIn) {
  EXPECT_EQ(mistakes(with_hash("in clear text")),
            ":1:20: basic_auth_users.prom: is no bcrypt hash; 60 characters are expected, $2a$, $2b$ or $2y$ first, as "
            "`htpasswd -nBC 10 USER` prints them\n");
  EXPECT_EQ(mistakes(with_hash("$2x" + std::string(kHash.substr(3)))),
            ":1:20: basic_auth_users.prom: is no bcrypt hash; 60 characters are expected, $2a$, $2b$ or $2y$ first, as "
            "`htpasswd -nBC 10 USER` prints them\n");
  EXPECT_EQ(mistakes(with_hash("$2y$03$" + std::string(kHash.substr(7)))),
            ":1:20: basic_auth_users.prom: the hash's cost is 3; at least 4 and at most 14 is expected, beyond which a "
            "check takes seconds\n");
  EXPECT_EQ(mistakes(with_hash("$2y$31$" + std::string(kHash.substr(7)))),
            ":1:20: basic_auth_users.prom: the hash's cost is 31; at least 4 and at most 14 is expected, beyond which "
            "a check takes seconds\n");
  EXPECT_EQ(mistakes("basic_auth_users: {'a:b': '" + std::string(kHash) + "'}"),
            ":1:20: basic_auth_users.a:b: a user's name with a colon can never log in; take another name\n");
  EXPECT_EQ(mistakes("basic_auth_users: {prom: }"),
            ":1:20: basic_auth_users.prom: no value; expected a text, or remove the key\n");
  EXPECT_EQ(mistakes("basic_auth_users: {}"), ":1:19: basic_auth_users: is empty; at least 1 entry is expected\n");
}

TEST(WebFile, AHashInTheWrongPlaceIsNotQuoted) {
  EXPECT_EQ(mistakes("basic_auth_users: " + std::string(kHash)),
            ":1:19: basic_auth_users: expected a map of users and bcrypt hashes\n");
  EXPECT_EQ(mistakes("basic_auth_users: [" + std::string(kHash) + "]"),
            ":1:19: basic_auth_users: expected a map of texts, as {key: text}; found a list\n");
}

TEST(WebFile, RefusesAFileThatProtectsNothing) {
  EXPECT_EQ(mistakes(""),
            ":1:1: the file is empty; give `tls_server_config`, `basic_auth_users`, or remove `web_config`\n");
  EXPECT_EQ(mistakes("{}"),
            ":1:1: protects nothing; give `tls_server_config`, `basic_auth_users`, or remove `web_config`\n");
  EXPECT_EQ(mistakes("[]"), ":1:1: the file is not a map; a web configuration is written as `key: value`\n");
  EXPECT_EQ(mistakes(std::string(kMaxFileBytes + 1, ' ')),
            ": the file is larger than 256KiB; a web configuration is smaller than that\n");
}

}  // namespace
}  // namespace slosonde::config
