#include <boost/json/serialize.hpp>
#include <string>

#include "probe/config/config.h"
#include "probe/config/declarations.h"
#include "probe/config/scalars.h"
#include "probe/config/sections.h"
#include "probe/config/template.h"
#include "probe/config/web_file.h"

namespace slosonde::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration reference

<!-- Made from the declarations that also parse the file; a test fails when it is stale. Do not edit. -->

One YAML file (UTF-8, at most 256 KiB, at most 32 levels deep, one document; no anchors, aliases, merge keys and tags).
`slosonde validate FILE` reports every mistake at once; `slosonde schema` prints a JSON Schema for editors.

```yaml
probe: {name: kr-a-1, region: kr, zone: kr-a}
transactions:
  - name: log-to-alert
    every: 5s
    stages:
      - name: ingest
        within: 2s
        http:
          method: POST
          url: "http://127.0.0.1:8080/v1/logs"
          json: {message: "login failed {{marker}}", traceparent: "{{traceparent}}", synthetic: true}
          capture: {id: $.id}
      - name: incident
        within: 30s
        watch: {kafka: {brokers: ["127.0.0.1:9092"], topic: incidents}}
      - name: alert
        within: 60s
        watch: {webhook: {path: /hooks/alert, format: alertmanager}}
    finally:
      - {name: close, http: {method: DELETE, url: "http://127.0.0.1:8080/v1/incidents/{{captured.id}}"}}
slos:
  - {name: alert-delivered, objective: 99.9%, sli: {transaction: log-to-alert, stage: alert}, labels: {team: logs}}
  - {name: incident-fast, objective: 95%, sli: {transaction: log-to-alert, stage: incident, faster_than: 13s}}
```

## How values are written

| type | written as |
|---|---|
| duration | one number and one unit, always: `500ms`, `1.5s`, `30d` (ns us ms s m h d) |
| share | `99.9%` or `0.999`; exact to nine decimal places |
| size | a number and its unit, always: `512B`, `64KiB`, `10MiB`, `1GiB` |
| boolean | `true` or `false`, without quotes |
| secret | never in the file itself: `KEY: ${env:NAME}`, `KEY: ${file:PATH}`, or `KEY_file: PATH`. One newline at the end of a file does not count. Shown as `<secret>` |
| path | relative to the folder of the configuration file |
| address | `host:port`, `[v6]:port` or `unix:/path` |
| regex | [RE2 syntax](https://github.com/google/re2/wiki/Syntax) |
| JSON path | `$.a.b[0]`, `$.list[-1]`, `$['a b']`, `$.list[*].id` |
| list | `[one, two]`; a single value counts as a list of one |

`${env:NAME}` and `${file:PATH}` stand anywhere in a value and are replaced once, when the file is read (each at most
64 KiB; a file's last newline is left out). `$${` is the text `${`. What they stand for within the settings of a check or
watch shows nowhere: views, logs and errors have it as it was written, even where a target's answer repeats it. Shown are hosts,
ports, brokers, topics and server names, and whatever the other parts of the file name (zones, transactions, labels).

Names (of transactions, stages and SLOs) are at most 63 of `a-z 0-9 _ . -`, beginning with a letter or a digit.

Templates hold `{{placeholders}}`, filled in for every run. `{{"{{"}}` is the text `{{`. In `json` they are escaped as JSON
wants it. A capture that the run does not have is empty.

)";

std::string_view meaning(std::string_view placeholder) {
  if (placeholder == "marker") return "the run's marker, by which it is found again";
  if (placeholder == "traceparent") return "the W3C trace context of the stage";
  if (placeholder == "payload")
    return "a token of the run's own beside the marker: a sighting that carries it damaged is `corrupt`";
  if (placeholder == "transaction") return "the transaction's name";
  if (placeholder == "stage") return "the stage's name";
  if (placeholder == "probe") return "the probe's name";
  if (placeholder == "region") return "the probe's region";
  if (placeholder == "zone") return "the probe's zone";
  if (placeholder == "seq") return "the run's number since the probe started";
  if (placeholder == "due_unix_ms") return "when the run was due, in milliseconds since 1970";
  return "";
}

std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string type_text(const Key& key) {
  if (key.type != Type::choice) {
    static constexpr std::string_view kNames[] = {"text",
                                                  "text with placeholders",
                                                  "secret",
                                                  "boolean",
                                                  "whole number",
                                                  "number",
                                                  "share",
                                                  "duration",
                                                  "size",
                                                  "choice",
                                                  "URL with placeholders",
                                                  "address",
                                                  "path",
                                                  "regex",
                                                  "JSON path",
                                                  "any value, texts with placeholders",
                                                  "list of texts",
                                                  "list of whole numbers",
                                                  "map of texts",
                                                  "map of texts with placeholders",
                                                  "map of JSON paths",
                                                  "map",
                                                  "list of maps"};
    return std::string(kNames[static_cast<size_t>(key.type)]);
  }
  std::string choices;
  for (const std::string_view choice : key.choices)
    choices += (choices.empty() ? "`" : ", `") + std::string(choice) + "`";
  return "one of " + choices;
}

std::string default_text(const Block& block, const Key& key) {
  if (key.required) return "required";
  const std::optional<boost::json::value> fallback = default_of(block, key);
  if (!fallback) return "";
  if (const auto* text = fallback->if_string()) return "`" + std::string(text->data(), text->size()) + "`";
  return "`" + boost::json::serialize(*fallback) + "`";
}

class Page {
 public:
  explicit Page(std::span<const NamedBlock> kinds) : kinds_(kinds) {}

  std::string text() {
    page_ = kIntroduction;
    page_ += "| placeholder | stands for |\n|---|---|\n";
    for (const std::string_view name : kPlaceholders)
      page_ += "| `{{" + std::string(name) + "}}` | " + std::string(meaning(name)) + " |\n";
    page_ += "| `{{captured.NAME}}` | what an earlier stage captured under that name |\n\n";
    add_block(root_block(), "The file", 2);
    add_block(web_file_block(), "The web configuration", 2);
    page_ += "## Checks\n\nThey stand under a stage, under `poll` and under `finally`.\n\n";
    for (const NamedBlock& kind : kinds_)
      if (kind.check != nullptr) add_block(*kind.check, "Check `" + std::string(kind.name) + "`", 3, kind.name);
    page_ += "## Watches\n\nThey stand under `watch`.\n\n";
    for (const NamedBlock& kind : kinds_)
      if (kind.watch != nullptr) add_block(*kind.watch, "Watch `" + std::string(kind.name) + "`", 3, kind.name);
    while (page_.ends_with("\n\n")) page_.pop_back();
    return std::move(page_);
  }

 private:
  // Blocks within a block follow it, each under its path.
  void add_block(const Block& block, const std::string& heading, int level, std::string_view path = {}) {
    page_ += std::string(static_cast<size_t>(level), '#') + ' ' + heading + "\n\n" + std::string(block.help) + "\n\n";
    if (block.kinds == KindKeys::checks) page_ += "Beside these keys it takes one of the [checks](#checks).\n\n";
    if (block.kinds == KindKeys::watches) page_ += "Beside these keys it takes one of the [watches](#watches).\n\n";
    page_ += "| key | type | default | limits | meaning |\n|---|---|---|---|---|\n";
    for (const Key& key : block.keys) add_row(block, key);
    page_ += '\n';
    for (const Key& key : block.keys) {
      if (key.type != Type::block && key.type != Type::blocks) continue;
      const std::string inner = (path.empty() ? "" : std::string(path) + ".") + std::string(key.name) +
                                (key.type == Type::blocks ? "[]" : "");
      add_block(*key.block(), "`" + inner + "`", level < 3 ? 3 : 4, inner);
    }
  }

  void add_row(const Block& block, const Key& key) {
    std::string name = "`" + std::string(key.name) + "`";
    if (key.type == Type::secret) name += ", `" + std::string(key.name) + "_file`";
    page_ += "| " + name + " | " + cell(type_text(key)) + " | " + cell(default_text(block, key)) + " | " +
             range_text(key) + " | " + cell(key.help) + " |\n";
  }

  std::span<const NamedBlock> kinds_;
  std::string page_;
};

}  // namespace

std::string reference_page(std::span<const NamedBlock> kinds) {
  return Page(kinds).text();
}

}  // namespace slosonde::config
