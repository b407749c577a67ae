// The whole configuration file as typed values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/base/result.h"
#include "probe/base/secret.h"
#include "probe/base/time.h"
#include "probe/config/block.h"
#include "probe/config/values.h"
#include "probe/config/web_file.h"
#include "probe/slo/window.h"

namespace slosonde::config {

struct Probe {
  std::string name;    // default: the host's name
  std::string region;  // may be empty
  std::string zone;    // may be empty
  Secret key;          // signs markers; without one a random key is made, and a restart makes old markers foreign
  bool key_is_random = false;
  Duration grace;                    // how long in-flight runs may go on after SIGTERM
  Duration settle;                   // how long a first run waits for its watches, and an open stage for sight
  Duration max_lateness;             // a slot that would start later than this is missed
  std::string state;                 // a file's path; empty: nothing is kept
  Duration commit;                   // how far apart commits are, at most
  std::vector<std::string> witness;  // tcp://<numeric address>:<port>
};

struct Listener {
  std::string address;  // host:port or unix:/path
  Position position;
  std::string web_config;  // `listen` alone: the path of the file; empty: plain HTTP, open to all who reach it
  Position web_config_position;
  std::optional<WebFile> web;  // what stands in it; load() leaves it to its caller, whose files' mistakes are another's
};

struct Hooks {
  std::optional<Listener> listener;  // none: on `listen`, which is then loopback
  Secret token;                      // bearer; empty: none demanded (loopback only)
  Secret hmac_key;                   // X-Slosonde-Signature / X-Hub-Signature-256: sha256=<hex>; empty: none demanded
  std::string external_url;
};

struct Admin {
  std::optional<Listener> listener;  // none: no admin listener
  Secret token;                      // demanded unless the listener is loopback or a unix socket
};

// One use of a kind: `http: {…}` under a stage.
struct KindUse {
  std::string kind;
  Values values;
};

enum class StageMode : uint8_t { done, polled, watched };
enum class PayloadRule : uint8_t { if_present, required };
enum class Expectation : uint8_t { some, exactly_one, none };

struct Stage {
  std::string name;
  StageMode mode = StageMode::done;
  KindUse use;
  Duration within{};
  std::optional<size_t> from;  // index of the stage from whose sighting `within` counts; none: from due
  Duration poll_every{};       // polled: from one attempt's start to the next
  Duration poll_timeout{};     // polled: one attempt's deadline
  PayloadRule payload = PayloadRule::if_present;
  std::string phase;  // watched: "", "firing" or "resolved": only evidence of this phase counts ("": not resolved)
  Expectation expect = Expectation::some;  // watched
  bool observer = false;                   // watched
  bool sends_payload = false;              // {{payload}} stands in its settings
  Position position;
};

struct Transaction {
  std::string name;
  Duration every{};
  unsigned max_in_flight = 0;  // filled in: enough for the longest limit at this rate
  Duration linger{};           // how long after the last limit late evidence is still told from stale
  Duration backoff{};          // 0: none
  std::vector<Stage> stages;
  std::vector<Stage> finally;  // done, never judged; `within` is each step's deadline from its start
  Position position;
};

enum class SliKind : uint8_t { availability, latency };

struct Slo {
  std::string name;
  int64_t objective_ppb = 0;  // 99.9% is 999'000'000
  Duration window{};
  size_t transaction = 0;               // index
  std::optional<size_t> stage;          // index; none: the whole run
  std::optional<Duration> faster_than;  // given: a latency SLI
  unsigned min_bad = 2;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::pair<std::string, std::string>> annotations;
  Position position;

  SliKind kind() const { return faster_than ? SliKind::latency : SliKind::availability; }
};

// A declared maintenance window.
struct Exclusion {
  std::string name;
  std::vector<size_t> transactions;  // indices; none: all
  slo::Window window;
};

enum class LogFormat : uint8_t { logfmt, json };

struct Config {
  Probe probe;
  Listener listen;
  Hooks hooks;
  Admin admin;
  std::vector<Transaction> transactions;
  std::vector<Slo> slos;
  std::vector<Exclusion> exclusions;
  LogFormat log_format = LogFormat::logfmt;
  Values root;  // as read, for `/api/v1/config`
};

// What a text is read with. `read_file` and `environment` are the loader's only ways out (tests hand in their own; one
// that is not given leads nowhere: references to it are mistakes). source.h opens a real file.
struct Source {
  std::string name;  // as errors show it
  std::string text;
  Result<std::string> (*read_file)(const std::string& path, size_t max_bytes) = nullptr;
  std::optional<std::string> (*environment)(const std::string& name) = nullptr;
  std::string folder;    // relative paths start here
  std::string hostname;  // default of probe.name
};

constexpr size_t kMaxFileBytes = 256 * 1024;
constexpr int kMaxDepth = 32;

// Every mistake at once, or the whole configuration. Bounded in time and memory for any text.
tl::expected<Config, Problems> load(const Source& source, std::span<const NamedBlock> kinds);

// JSON Schema (draft 2020-12) and the reference page, from the same declarations.
std::string json_schema(std::span<const NamedBlock> kinds);
std::string reference_page(std::span<const NamedBlock> kinds);

}  // namespace slosonde::config
