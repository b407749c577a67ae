#include "checks/net/kafka_cluster.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "probe/base/error.h"
#include "probe/config/network.h"

namespace slosonde::checks {
namespace {

using config::Key;
using config::Type;

constexpr std::array<std::string_view, 4> kProtocols = {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"};
constexpr std::array<std::string_view, 3> kMechanisms = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

// Properties that are ours to set, with what to do instead.
struct Reserved {
  std::string_view name, advice;
};
constexpr std::array kReserved = {
    Reserved{"bootstrap.servers", "use `brokers`"},
    Reserved{"metadata.broker.list", "use `brokers`"},
    Reserved{"security.protocol", "use `security_protocol`"},
    Reserved{"sasl.mechanism", "use `sasl_mechanism`"},
    Reserved{"sasl.mechanisms", "use `sasl_mechanism`"},
    Reserved{"sasl.username", "use `username`"},
    Reserved{"sasl.password", "use `password_file`: it is a secret"},
    Reserved{"ssl.ca.location", "use `ca_file`"},
    Reserved{"ssl.certificate.location", "use `certificate_file`"},
    Reserved{"ssl.key.location", "use `key_file`"},
    Reserved{"ssl.key.password", "use `key_password_file`: it is a secret"},
    Reserved{"ssl.key.pem", "use `key_file`: it is a secret"},
    Reserved{"ssl.certificate.pem", "use `certificate_file`"},
    Reserved{"ssl.keystore.location", "use `certificate_file` and `key_file`"},
    Reserved{"ssl.keystore.password", "use `certificate_file` and `key_file`: it is a secret"},
    Reserved{"sasl.oauthbearer.client.secret", "leave it out: it is a secret"},
    Reserved{"sasl.oauthbearer.config", "leave it out: it may hold a secret"},
    Reserved{"acks", "leave it out: a message counts when all replicas in sync have it"},
    Reserved{"request.required.acks", "leave it out: a message counts when all replicas in sync have it"},
    Reserved{"message.timeout.ms", "use `message_timeout` of the check"},
    Reserved{"delivery.timeout.ms", "use `message_timeout` of the check"},
    Reserved{"transactional.id", "leave it out: nothing here is transactional"},
    Reserved{"group.id", "leave it out: a watch reads every partition by itself"},
    Reserved{"group.instance.id", "leave it out: a watch reads every partition by itself"},
    Reserved{"enable.partition.eof", "leave it out: a watch needs it"},
    Reserved{"enable.auto.commit", "leave it out: a watch keeps its own position"},
    Reserved{"enable.auto.offset.store", "leave it out: a watch keeps its own position"},
    Reserved{"auto.offset.reset", "leave it out: a watch keeps its own position"},
    Reserved{"statistics.interval.ms", "leave it out: nobody would read them"},
    Reserved{"log.queue", "leave it out: librdkafka's log is not shown"},
    Reserved{"debug", "leave it out: librdkafka's log is not shown"},
    Reserved{"plugin.library.paths", "leave it out: no foreign code is loaded"},
    Reserved{"test.mock.num.brokers", "leave it out: the cluster would be no real one"},
};

// What every handle starts from. Latency before throughput, and an outage noticed and left in about a second.
constexpr std::array<std::pair<const char*, const char*>, 10> kBase = {{
    {"client.id", "slosonde"},
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"socket.timeout.ms", "10000"},
    {"socket.connection.setup.timeout.ms", "5000"},
    {"reconnect.backoff.ms", "100"},
    {"reconnect.backoff.max.ms", "1000"},
    {"topic.metadata.propagation.max.ms", "2000"},
    {"topic.metadata.refresh.interval.ms", "5000"},
    {"topic.metadata.refresh.fast.interval.ms", "100"},
}};

struct FileProperty {
  std::string_view key, property;
};
constexpr std::array<FileProperty, 3> kFiles = {{{"ca_file", "ssl.ca.location"},
                                                 {"certificate_file", "ssl.certificate.location"},
                                                 {"key_file", "ssl.key.location"}}};

// "0..300000", where librdkafka names the range.
std::string_view allowed_range(std::string_view said) {
  constexpr std::string_view kBefore = "allowed range ";
  const size_t at = said.find(kBefore);
  if (at == std::string_view::npos) return {};
  said.remove_prefix(at + kBefore.size());
  return said.substr(0, said.find_first_not_of("0123456789.-"));
}

std::string default_of(const std::string& name) {
  const KafkaConf fresh(rd_kafka_conf_new());
  std::array<char, 128> text{};
  size_t size = text.size();
  return rd_kafka_conf_get(fresh.get(), name.c_str(), text.data(), &size) == RD_KAFKA_CONF_OK ? text.data() : "";
}

// What is wrong with a property; empty: nothing. Never what librdkafka says itself, for it repeats the value, which may
// be a secret.
std::string refusal(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> text{};
  const auto result = rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text.data(), text.size());
  if (result == RD_KAFKA_CONF_OK) return {};
  if (result == RD_KAFKA_CONF_UNKNOWN) return "librdkafka knows no such property; its CONFIGURATION.md lists every one";
  std::string wrong = "librdkafka takes no such value for it";
  const std::string_view said = text.data(), range = allowed_range(said);
  if (!range.empty()) wrong.append("; it lies within ").append(range);
  if (said.find("true or false") != std::string_view::npos) wrong += "; it is true or false";
  if (const std::string fallback = default_of(name); !fallback.empty())
    wrong.append("; its default is `").append(fallback).append("`");
  return wrong + "; its CONFIGURATION.md says what it may be";
}

void check_property(const config::Values& settings, const std::string& name, const std::string& value,
                    rd_kafka_conf_t* scratch, config::Problems& problems) {
  const auto complain = [&](const std::string& text) {
    problems.add(settings.position("properties"), settings.path("properties") + "." + name, text);
  };
  const auto* reserved = std::ranges::find(kReserved, name, &Reserved::name);
  if (reserved != kReserved.end()) {
    complain("this property is not for setting here; " + std::string(reserved->advice));
    return;
  }
  // A callback's pointer would be taken from the text.
  if (name.ends_with("_cb") || name == "opaque" || name == "default_topic_conf") {
    complain("this property is a pointer of the program's; leave it out");
    return;
  }
  const std::string wrong = refusal(scratch, name, value);
  if (!wrong.empty()) complain(wrong);
}

void check_security(const config::Values& settings, config::Problems& problems) {
  const std::string& protocol = settings.text("security_protocol");
  const auto complain = [&](std::string_view key, std::string text) {
    problems.add(settings.position(key), settings.path(key), std::move(text));
  };
  if (!protocol.starts_with("sasl_")) {
    for (const std::string_view key : {"username", "password"})
      if (settings.has(key)) complain(key, "has no effect with `" + protocol + "`; set `security_protocol: sasl_ssl`");
  } else if (!settings.has("username") || settings.secret("password").empty()) {
    complain("security_protocol", "`" + protocol + "` needs credentials; give `username` and `password_file`");
  }
  if (!protocol.ends_with("ssl")) {
    for (const auto& [key, property] : kFiles)
      if (settings.has(key)) complain(key, "has no effect with `" + protocol + "`; set `security_protocol: ssl`");
  }
  if (settings.has("certificate_file") != settings.has("key_file"))
    complain(settings.has("key_file") ? "key_file" : "certificate_file",
             "a client certificate needs both its files; give `certificate_file` and `key_file`");
}

void append(std::string& all, std::string_view part) {
  all += std::to_string(part.size());
  all += ':';
  all += part;
}

}  // namespace

const std::array<Key, kKafkaClusterKeys> kKafkaCluster = {{
    {.name = "brokers",
     .type = Type::texts,
     .help = "Where the cluster is first asked for its brokers: a list of host:port.",
     .required = true,
     .min = "1",
     .max = "32",
     .open = true},
    {.name = "topic",
     .type = Type::text,
     .help = "The topic's name.",
     .required = true,
     .min = "1",
     .max = "249",
     .open = true},
    {.name = "security_protocol",
     .type = Type::choice,
     .help = "How the brokers want to be spoken to.",
     .fallback = "plaintext",
     .choices = kProtocols},
    {.name = "sasl_mechanism",
     .type = Type::choice,
     .help = "How the credentials are proven, with sasl_plaintext and sasl_ssl.",
     .fallback = "PLAIN",
     .choices = kMechanisms},
    {.name = "username", .type = Type::text, .help = "The user, with sasl_plaintext and sasl_ssl."},
    {.name = "password", .type = Type::secret, .help = "The user's password."},
    {.name = "ca_file",
     .type = Type::path,
     .help = "The authorities whose certificates the brokers may show, PEM; default: the system's."},
    {.name = "certificate_file",
     .type = Type::path,
     .help = "Our own certificate chain, PEM, where brokers ask for one."},
    {.name = "key_file", .type = Type::path, .help = "The key of our certificate, PEM."},
    {.name = "key_password", .type = Type::secret, .help = "What the key file is encrypted with."},
    {.name = "properties",
     .type = Type::text_map,
     .help = "Any other property of librdkafka, by its own name, such as `compression.type: zstd`.",
     .max = "64"},
}};

void check_kafka_cluster(const config::Values& settings, config::Problems& problems) {
  for (const std::string& broker : settings.texts("brokers")) {
    const auto address = config::parse_address(broker);
    if (!address || address->is_unix || address->port == 0)
      problems.add(settings.position("brokers"), settings.path("brokers"),
                   "`" + broker + "` is no broker's address; write host:port, such as kafka-1:9092");
  }
  check_security(settings, problems);
  const KafkaConf scratch(rd_kafka_conf_new());
  for (const auto& [name, value] : settings.text_map("properties"))
    check_property(settings, name, value, scratch.get(), problems);
}

Result<KafkaCluster> kafka_cluster(const config::Values& settings) {
  KafkaCluster cluster;
  for (const std::string& broker : settings.texts("brokers"))
    cluster.brokers += (cluster.brokers.empty() ? "" : ",") + broker;
  const std::string& protocol = settings.text("security_protocol");
  cluster.properties = {{"bootstrap.servers", cluster.brokers}, {"security.protocol", protocol}};
  if (protocol.starts_with("sasl_")) {
    cluster.properties.emplace_back("sasl.mechanism", settings.text("sasl_mechanism"));
    cluster.properties.emplace_back("sasl.username", settings.text("username"));
    cluster.password = settings.secret("password");
  }
  for (const auto& [key, property] : kFiles) {
    if (!settings.has(key)) continue;
    const std::string& path = settings.text(key);
    if (access(path.c_str(), R_OK) != 0) return fail(error_from_errno(errno, std::string(key) + " " + path));
    cluster.properties.emplace_back(property, path);
  }
  cluster.key_password = settings.secret("key_password");
  for (const auto& property : settings.text_map("properties")) cluster.properties.push_back(property);
  return cluster;
}

std::string KafkaCluster::share_key() const {
  std::string all;
  for (const auto& [name, value] : properties) {
    append(all, name);
    append(all, value);
  }
  append(all, password.reveal());
  append(all, key_password.reveal());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(all.data(), all.size(), digest.data(), &size, EVP_sha256(), nullptr);
  explicit_bzero(all.data(), all.size());
  return {reinterpret_cast<const char*>(digest.data()), size};
}

Result<KafkaConf> kafka_conf(const KafkaCluster& cluster, const KafkaProperties& defaults,
                             const KafkaProperties& fixed) {
  KafkaConf conf(rd_kafka_conf_new());
  // Its log would go to stderr; what matters comes as error events as well.
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  std::string wrong, name;
  const auto set = [&](const std::string& key, const std::string& value) {
    if (!wrong.empty()) return;
    wrong = refusal(conf.get(), key, value);
    name = key;
  };
  for (const auto& [key, value] : kBase) set(key, value);
  for (const auto& [key, value] : defaults) set(key, value);
  for (const auto& [key, value] : cluster.properties) set(key, value);
  for (const auto& [key, value] : fixed) set(key, value);
  if (!cluster.password.empty()) set("sasl.password", std::string(cluster.password.reveal()));
  if (!cluster.key_password.empty()) set("ssl.key.password", std::string(cluster.key_password.reveal()));
  if (wrong.empty()) return conf;
  return fail(ErrorCode::bad_config, "property " + name + " of Kafka: " + wrong);
}

}  // namespace slosonde::checks
