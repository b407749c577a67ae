#include "tests/unit/config/test_kinds.h"

#include <fstream>
#include <sstream>

#include "probe/config/values.h"

namespace slosonde::config::test {
namespace {

constexpr std::array<std::string_view, 4> kMethods = {"GET", "POST", "PUT", "DELETE"};

constexpr std::array<Key, 4> kExpectKeys = {{
    {.name = "status",
     .type = Type::integers,
     .help = "Statuses that hold.",
     .fallback = "[200]",
     .min = "1",
     .max = "3"},
    {.name = "body", .type = Type::regex, .help = "The body matches."},
    {.name = "value", .type = Type::json_path, .help = "The body has it."},
    {.name = "share", .type = Type::share, .help = "A share.", .min = "10%", .max = "90%"},
}};
constexpr Block kExpect{.name = "expect", .help = "What must hold.", .keys = kExpectKeys};

constexpr std::array<Key, 2> kHeaderKeys = {{
    {.name = "name", .help = "A header.", .required = true},
    {.name = "value", .type = Type::text_template, .help = "Its value."},
}};
constexpr Block kHeader{.name = "header", .help = "One header.", .keys = kHeaderKeys};

void only_one_body(const Values& values, Problems& problems) {
  if (values.has("json") && values.has("body"))
    problems.add(values.position("body"), values.path("body"),
                 "`json` and `body` both give the body; keep one of them");
}

constexpr SecretEntries kSecretHeaders{.has = [](std::string_view name) { return name == "Authorization"; },
                                       .instead = "`password`"};

constexpr std::array<Key, 20> kHttpKeys = {{
    {.name = "url", .type = Type::url, .help = "Where to ask.", .required = true},
    {.name = "method", .type = Type::choice, .help = "How to ask.", .fallback = "GET", .choices = kMethods},
    {.name = "headers", .type = Type::template_map, .help = "Headers.", .max = "3", .secrets = &kSecretHeaders},
    {.name = "body", .type = Type::text_template, .help = "The body."},
    {.name = "json", .type = Type::json, .help = "The body, as JSON."},
    {.name = "password", .type = Type::secret, .help = "A secret.", .min = "4", .max = "40"},
    {.name = "follow", .type = Type::boolean, .help = "A boolean.", .fallback = "false"},
    {.name = "redirects", .type = Type::integer, .help = "An integer.", .fallback = "5", .min = "0", .max = "20"},
    {.name = "factor", .type = Type::number, .help = "A number.", .min = "0.5", .max = "2"},
    {.name = "pause", .type = Type::duration, .help = "A duration.", .fallback = "100ms", .min = "1ms", .max = "1m"},
    {.name = "limit", .type = Type::bytes, .help = "A size.", .fallback = "1MiB", .min = "1KiB", .max = "16MiB"},
    {.name = "proxy", .type = Type::address, .help = "An address."},
    {.name = "ca_file", .type = Type::path, .help = "A path."},
    {.name = "server_name", .type = Type::text, .help = "A text.", .max = "20"},
    {.name = "brokers", .type = Type::texts, .help = "Texts.", .min = "1", .max = "3"},
    {.name = "tags", .type = Type::text_map, .help = "A map of texts."},
    {.name = "capture", .type = Type::json_path_map, .help = "Values kept for later stages."},
    {.name = "expect",
     .type = Type::block,
     .help = "What must hold.",
     .fallback = "{}",
     .block = [] { return &kExpect; }},
    {.name = "more", .type = Type::blocks, .help = "A list of blocks.", .max = "2", .block = [] { return &kHeader; }},
    {.name = "query", .type = Type::template_map, .help = "Query parameters."},
}};
constexpr Block kHttp{.name = "http", .help = "A check of the tests.", .keys = kHttpKeys, .rule = only_one_body};

constexpr std::array<Key, 3> kProduceKeys = {{
    {.name = "brokers", .type = Type::texts, .help = "Brokers.", .required = true, .min = "1"},
    {.name = "topic", .help = "A topic.", .required = true},
    {.name = "value", .type = Type::text_template, .help = "The message.", .fallback = "{{marker}}"},
}};
constexpr Block kProduce{.name = "kafka", .help = "Produces.", .keys = kProduceKeys};

constexpr std::array<Key, 2> kConsumeKeys = {{
    {.name = "brokers", .type = Type::texts, .help = "Brokers.", .required = true, .min = "1"},
    {.name = "topic", .help = "A topic.", .required = true},
}};
constexpr Block kConsume{.name = "kafka", .help = "Consumes.", .keys = kConsumeKeys};

constexpr std::array<std::string_view, 2> kFormats = {"text", "alertmanager"};
constexpr std::array<Key, 2> kWebhookKeys = {{
    {.name = "path", .help = "A path.", .required = true},
    {.name = "format", .type = Type::choice, .help = "A format.", .fallback = "text", .choices = kFormats},
}};
constexpr Block kWebhook{.name = "webhook", .help = "Receives.", .keys = kWebhookKeys};

std::optional<std::string> environment(const std::string& name) {
  if (name == "TOKEN") return "hush-token-0123456789";
  if (name == "KEY") return "hush-key-0123456789";
  if (name == "EMPTY") return "";
  if (name == "PORT") return "8080";
  if (name == "ONE") return "1";
  if (name == "ZONE") return "kr-a";
  if (name == "BROKEN") return "hush-broken {{nonsense}} [ \xFF";
  if (name == "TEMPLATE") return "hush-broken {{nonsense}} [";
  if (name == "BRACKET") return "hush-(";
  if (name == "URL") return "http://hooks:81/services/T0/hush-in-a-path?token=hush-in-a-query";
  if (name == "LONG") return std::string(70 * 1024, 'x');
  if (name == "HALF") return std::string(60 * 1024, 'x');
  return std::nullopt;
}

Result<std::string> read_file(const std::string& path, size_t /*max_bytes*/) {
  if (path == "/conf/secret.txt") return "hush-key-from-file-0123\n";
  if (path == "/conf/empty.txt") return "\n";
  if (path == "/conf/body.json")
    return R"({"message": "{{marker}}"})"
           "\r\n";
  return fail(ErrorCode::denied, "cannot read " + path + ": Permission denied");
}

}  // namespace

const std::array<std::string_view, 3> kSecretTexts = {"hush-", "0123456789", "nonsense"};

std::vector<NamedBlock> kinds() {
  return {{"http", &kHttp, nullptr}, {"kafka", &kProduce, &kConsume}, {"webhook", nullptr, &kWebhook}};
}

Source source(std::string name, std::string text) {
  return {std::move(name), std::move(text), &read_file, &environment, "/conf", "test-host"};
}

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace slosonde::config::test
