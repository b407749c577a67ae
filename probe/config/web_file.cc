#include "probe/config/web_file.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "probe/config/builder.h"
#include "probe/config/config.h"
#include "probe/config/yaml_reader.h"

namespace slosonde::config {
namespace {

constexpr std::string_view kUsers = "basic_auth_users";
constexpr std::string_view kTls = "tls_server_config";
constexpr int kLeastCost = 4;
constexpr int kMostCost = 14;

constexpr std::array<std::string_view, 5> kClientAuths = {"NoClientCert", "RequestClientCert", "RequireAnyClientCert",
                                                          "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"};
constexpr std::array<std::string_view, 2> kVersions = {"TLS12", "TLS13"};

ClientAuth client_auth_of(const Values& tls) {
  const auto* found = std::find(kClientAuths.begin(), kClientAuths.end(), tls.text("client_auth_type"));
  return static_cast<ClientAuth>(found - kClientAuths.begin());
}

TlsVersion version_of(const Values& tls, std::string_view key) {
  return tls.text(key) == "TLS13" ? TlsVersion::tls13 : TlsVersion::tls12;
}

void check_tls(const Values& tls, Problems& problems) {
  const ClientAuth auth = client_auth_of(tls);
  const bool verifies = auth == ClientAuth::verify_if_given || auth == ClientAuth::require_and_verify;
  if (verifies && !tls.has("client_ca_file"))
    problems.add(tls.position("client_auth_type"), tls.path("client_auth_type"),
                 "nothing to verify client certificates by; add `client_ca_file`");
  if (auth == ClientAuth::none && tls.has("client_ca_file"))
    problems.add(tls.position("client_ca_file"), tls.path("client_ca_file"),
                 "has no effect: clients are not asked for a certificate; add `client_auth_type: "
                 "RequireAndVerifyClientCert`, or remove this");
  if (version_of(tls, "min_version") > version_of(tls, "max_version"))
    problems.add(tls.position("min_version"), tls.path("min_version"),
                 "is over `max_version`; no client could speak with us");
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "$2y$10$" and 53 of bcrypt's base64.
bool is_bcrypt(std::string_view hash) {
  if (hash.size() != 60 || !hash.starts_with("$2") || hash[3] != '$' || hash[6] != '$') return false;
  if (std::string_view("aby").find(hash[2]) == std::string_view::npos) return false;
  if (!is_digit(hash[4]) || !is_digit(hash[5])) return false;
  return std::ranges::all_of(hash.substr(7), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
  });
}

void check_user(const std::string& name, std::string_view hash, Position position, const std::string& path,
                Problems& problems) {
  if (name.find(':') != std::string::npos)
    problems.add(position, path, "a user's name with a colon can never log in; take another name");
  if (!is_bcrypt(hash))
    return problems.add(position, path,
                        "is no bcrypt hash; 60 characters are expected, $2a$, $2b$ or $2y$ first, as `htpasswd -nBC 10 "
                        "USER` prints them");
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < kLeastCost || cost > kMostCost)
    problems.add(position, path,
                 "the hash's cost is " + std::to_string(cost) + "; at least " + std::to_string(kLeastCost) +
                     " and at most " + std::to_string(kMostCost) + " is expected, beyond which a check takes seconds");
}

void check_file(const Values& root, Problems& problems) {
  if (!root.has(kTls) && !root.has(kUsers))
    problems.add(root.position(), root.path(),
                 "protects nothing; give `tls_server_config`, `basic_auth_users`, or remove `web_config`");
  const auto& users = root.text_map(kUsers);
  for (size_t i = 0; i < users.size(); ++i)
    check_user(users[i].first, users[i].second, Builder::key_position(root, kUsers, i),
               join_path(root.path(kUsers), users[i].first), problems);
}

constexpr std::array<Key, 6> kTlsKeys = {{
    {.name = "cert_file",
     .type = Type::path,
     .help = "The server's certificate and its chain, PEM. Read again when it changes.",
     .required = true},
    {.name = "key_file", .type = Type::path, .help = "The certificate's key, PEM, not encrypted.", .required = true},
    {.name = "client_auth_type",
     .type = Type::choice,
     .help = "Whether clients show a certificate.",
     .fallback = "NoClientCert",
     .choices = kClientAuths},
    {.name = "client_ca_file",
     .type = Type::path,
     .help = "The authorities that clients' certificates are verified by, PEM."},
    {.name = "min_version",
     .type = Type::choice,
     .help = "The oldest TLS spoken.",
     .fallback = "TLS12",
     .choices = kVersions},
    {.name = "max_version",
     .type = Type::choice,
     .help = "The newest TLS spoken.",
     .fallback = "TLS13",
     .choices = kVersions},
}};
constexpr Block kTlsServer{
    .name = "tls_server_config", .help = "TLS of the listener.", .keys = kTlsKeys, .rule = check_tls};

constexpr std::array<Key, 2> kFileKeys = {{
    {.name = kTls, .type = Type::block, .help = "TLS of the listener.", .block = [] { return &kTlsServer; }},
    {.name = kUsers,
     .type = Type::text_map,
     .help = "Users and the bcrypt hashes of their passwords (cost 4 to 14). Off loopback only with TLS.",
     .min = "1",
     .max = "100"},
}};
constexpr Block kFile{.name = "web configuration",
                      .help = "The file that `web_config` names, in the form of Prometheus' exporter toolkit.",
                      .keys = kFileKeys,
                      .rule = check_file};

// The toolkit has them, and we do not: another key's name would be no help.
constexpr std::array<std::string_view, 2> kOthersOfFile = {"http_server_config", "rate_limit"};
constexpr std::array<std::string_view, 7> kOthersOfTls = {"cert",
                                                          "key",
                                                          "client_ca",
                                                          "client_allowed_sans",
                                                          "cipher_suites",
                                                          "prefer_server_cipher_suites",
                                                          "curve_preferences"};

void refuse_others(TreeNode& map, std::span<const std::string_view> others, const std::string& path,
                   Problems& problems) {
  std::erase_if(map.members, [&](const Member& member) {
    if (std::ranges::find(others, member.key) == others.end()) return false;
    problems.add(member.key_position, path,
                 "`" + member.key + "` of the exporter toolkit is not supported here; remove it", Rule::unknown_key);
    return true;
  });
}

bool is_readable(TreeNode& root, Problems& problems) {
  if (root.kind == TreeNode::Kind::refused) return false;
  if (root.kind != TreeNode::Kind::map) {
    problems.add({1, 1}, "",
                 root.kind == TreeNode::Kind::null
                     ? "the file is empty; give `tls_server_config`, `basic_auth_users`, or remove `web_config`"
                     : "the file is not a map; a web configuration is written as `key: value`",
                 Rule::wrong_type);
    return false;
  }
  refuse_others(root, kOthersOfFile, "", problems);
  for (Member& member : root.members) {
    if (member.key == kTls) refuse_others(member.value, kOthersOfTls, std::string(kTls), problems);
    // The general complaint would quote what may be a hash.
    if (member.key != kUsers || member.value.kind != TreeNode::Kind::scalar) continue;
    problems.add(member.value.position, std::string(kUsers), "expected a map of users and bcrypt hashes",
                 Rule::wrong_type);
    member.value.kind = TreeNode::Kind::refused;
  }
  return true;
}

TlsServer tls_of(const Values& values) {
  const auto file = [&](std::string_view key) { return PemFile{values.text(key), values.position(key)}; };
  TlsServer tls{file("cert_file"), file("key_file"), file("client_ca_file")};
  tls.client_auth = client_auth_of(values);
  tls.min = version_of(values, "min_version");
  tls.max = version_of(values, "max_version");
  return tls;
}

}  // namespace

const Block& web_file_block() {
  return kFile;
}

tl::expected<WebFile, Problems> read_web_file(const Source& source) {
  Problems problems;
  if (source.text.size() > kMaxFileBytes) {
    problems.add({}, "", "the file is larger than 256KiB; a web configuration is smaller than that",
                 Rule::file_too_large);
    return tl::unexpected(std::move(problems));
  }
  std::optional<TreeNode> tree = read_yaml(source.text, problems);
  if (!tree || !is_readable(*tree, problems)) return tl::unexpected(std::move(problems));
  Builder builder(source, {}, problems);
  const Values root = builder.read(*tree, kFile, "");
  if (!problems.empty()) return tl::unexpected(std::move(problems));
  WebFile file;
  file.name = source.name;
  if (root.has(kTls)) file.tls = tls_of(root.block(kTls));
  for (const auto& [name, hash] : root.text_map(kUsers)) file.users.push_back({name, Secret(hash)});
  return file;
}

}  // namespace slosonde::config
