#include <sys/random.h>

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <set>

#include "probe/config/builder.h"
#include "probe/config/config.h"
#include "probe/config/exclusions.h"
#include "probe/config/network.h"
#include "probe/config/rules.h"
#include "probe/config/sections.h"
#include "probe/config/yaml_reader.h"

namespace slosonde::config {
namespace {

constexpr int64_t kMostInFlight = 100'000;
constexpr Duration kLongestLinger = std::chrono::hours(1);

Secret random_key() {
  std::array<char, 32> bytes{};
  // At most 256 bytes are never cut short, and the pool is ready long before this program runs.
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  Secret key(std::string(bytes.data(), bytes.size()));
  explicit_bzero(bytes.data(), bytes.size());
  return key;
}

Probe probe_of(const Values& values, const Source& source) {
  Probe probe;
  probe.name = values.has("name") ? values.text("name") : source.hostname;
  probe.region = values.text("region");
  probe.zone = values.text("zone");
  probe.key_is_random = !values.has("key");
  probe.key = probe.key_is_random ? random_key() : values.secret("key");
  probe.grace = values.duration("grace");
  probe.settle = values.duration("settle");
  probe.max_lateness = values.duration("max_lateness");
  probe.state = values.text("state");
  probe.commit = values.duration("commit");
  probe.witness = values.texts("witness");
  return probe;
}

std::optional<Listener> listener_of(const Values& values) {
  if (!values.has("address")) return std::nullopt;
  return Listener{values.text("address"), values.position("address"), {}, {}, {}};
}

KindUse use_of(const Values& values) {
  const std::vector<std::string> kinds = Builder::kinds_of(values);
  return {kinds.at(0), values.block(kinds.at(0))};
}

Expectation expectation_of(const Values& watch) {
  const std::string& text = watch.text("expect");
  if (text == "exactly_one") return Expectation::exactly_one;
  return text == "none" ? Expectation::none : Expectation::some;
}

// Where {{payload}} stands: few runs send one, and it costs an HMAC.
class PayloadUses {
 public:
  explicit PayloadUses(const Builder& builder) {
    for (const TemplateUse& use : builder.templates()) {
      const auto& names = use.placeholders;
      if (std::find(names.begin(), names.end(), "payload") != names.end()) paths_.insert(use.path);
    }
  }

  bool within(const Values& block) const {
    const std::string prefix = block.path() + '.';
    const auto first = paths_.lower_bound(prefix);
    return first != paths_.end() && first->starts_with(prefix);
  }

 private:
  std::set<std::string> paths_;
};

Stage stage_of(const std::vector<Values>& stages, size_t index, const PayloadUses& payloads) {
  const Values& values = stages[index];
  Stage stage;
  stage.name = values.text("name");
  stage.within = values.duration("within");
  stage.from = origin_of(stages, index);
  stage.payload = values.text("payload") == "required" ? PayloadRule::required : PayloadRule::if_present;
  stage.sends_payload = payloads.within(values);
  stage.position = values.position();
  if (values.has("poll")) {
    const Values& poll = values.block("poll");
    stage.mode = StageMode::polled;
    stage.use = use_of(poll);
    stage.poll_every = poll.duration("every");
    stage.poll_timeout = poll.duration("timeout");
  } else if (values.has("watch")) {
    stage.mode = StageMode::watched;
    stage.use = use_of(values.block("watch"));
    const Values& watch = values.block("watch");
    stage.phase = watch.text("phase");
    stage.expect = expectation_of(watch);
    stage.observer = watch.boolean("observer");
  } else {
    stage.use = use_of(values);
  }
  return stage;
}

Stage step_of(const Values& values, const PayloadUses& payloads) {
  Stage step;
  step.name = values.text("name");
  step.within = values.duration("within");
  step.use = use_of(values);
  step.sends_payload = payloads.within(values);
  step.position = values.position();
  return step;
}

Transaction transaction_of(const Values& values, const PayloadUses& payloads) {
  Transaction transaction;
  transaction.name = values.text("name");
  transaction.every = values.duration("every");
  transaction.position = values.position();
  const std::vector<Values>& stages = values.blocks("stages");
  for (size_t i = 0; i < stages.size(); ++i) transaction.stages.push_back(stage_of(stages, i, payloads));
  for (const Values& step : values.blocks("finally")) transaction.finally.push_back(step_of(step, payloads));

  const Duration longest = longest_limit(stages);
  // A run lives for its longest limit, so this many overlap at most; one more for the run that ends as another begins.
  const int64_t overlapping = (longest + transaction.every - Duration(1)) / transaction.every + 1;
  transaction.max_in_flight = static_cast<unsigned>(values.has("max_in_flight") ? values.integer("max_in_flight")
                                                                                : std::min(overlapping, kMostInFlight));
  transaction.linger = values.has("linger") ? values.duration("linger") : std::min(3 * longest, kLongestLinger);
  if (values.has("backoff")) transaction.backoff = values.duration("backoff");
  return transaction;
}

Slo slo_of(const Values& values, const std::vector<Values>& transactions) {
  Slo slo;
  slo.name = values.text("name");
  slo.objective_ppb = values.share_ppb("objective");
  slo.window = values.duration("window");
  slo.min_bad = static_cast<unsigned>(values.integer("min_bad"));
  slo.labels = values.text_map("labels");
  slo.annotations = values.text_map("annotations");
  slo.position = values.position();
  const Values& sli = values.block("sli");
  slo.transaction = index_of(transactions, sli.text("transaction")).value();
  if (sli.has("stage")) slo.stage = index_of(transactions[slo.transaction].blocks("stages"), sli.text("stage"));
  if (sli.has("faster_than")) slo.faster_than = sli.duration("faster_than");
  return slo;
}

Exclusion exclusion_of(const Values& values, const std::vector<Values>& transactions) {
  Problems none;  // it has been looked at
  Exclusion exclusion;
  exclusion.name = values.text("name");
  for (const std::string& name : values.texts("transactions")) {
    exclusion.transactions.push_back(index_of(transactions, name).value());
  }
  exclusion.window = window_of(values, none).value();
  return exclusion;
}

// Only for values without any problem.
Config config_of(const Values& root, const Source& source, const Builder& builder) {
  Config config;
  config.probe = probe_of(root.block("probe"), source);
  config.listen = listener_of(root.block("listen")).value();
  config.listen.web_config = root.block("listen").text("web_config");
  config.listen.web_config_position = root.block("listen").position("web_config");
  const Values& hooks = root.block("hooks");
  config.hooks = {listener_of(hooks), hooks.secret("token"), hooks.secret("hmac_key"), hooks.text("external_url")};
  config.admin = {listener_of(root.block("admin")), root.block("admin").secret("token")};
  const std::vector<Values>& transactions = root.blocks("transactions");
  const PayloadUses payloads(builder);
  for (const Values& transaction : transactions) config.transactions.push_back(transaction_of(transaction, payloads));
  for (const Values& slo : root.blocks("slos")) config.slos.push_back(slo_of(slo, transactions));
  for (const Values& one : root.blocks("exclusions")) config.exclusions.push_back(exclusion_of(one, transactions));
  config.log_format = root.block("log").text("format") == "json" ? LogFormat::json : LogFormat::logfmt;
  config.root = root;
  return config;
}

bool is_readable_root(const TreeNode& root, Problems& problems) {
  if (root.kind == TreeNode::Kind::map) return true;
  if (root.kind == TreeNode::Kind::refused) return false;
  problems.add(
      {1, 1}, "",
      root.kind == TreeNode::Kind::null
          ? "the file is empty; a configuration has at least `transactions:`"
          : "the file is not a map; a configuration is written as `key: value`, with `transactions:` among them",
      Rule::wrong_type);
  return false;
}

}  // namespace

tl::expected<Config, Problems> load(const Source& source, std::span<const NamedBlock> kinds) {
  Problems problems;
  if (source.text.size() > kMaxFileBytes) {
    problems.add({}, "", "the file is larger than 256KiB; a configuration is smaller than that", Rule::file_too_large);
    return tl::unexpected(std::move(problems));
  }
  const std::optional<TreeNode> tree = read_yaml(source.text, problems);
  if (!tree || !is_readable_root(*tree, problems)) return tl::unexpected(std::move(problems));

  Builder builder(source, kinds, problems);
  const Values root = builder.read(*tree, root_block(), "");
  const Whole whole{root, builder};
  if (root.has("probe")) check_probe(root.block("probe"), source, problems);
  check_listeners(root, problems);
  check_names(whole, problems);
  check_transactions(whole, problems);
  check_evidence(whole, problems);
  check_slos(whole, problems);
  check_exclusions(whole, problems);
  if (!problems.empty()) return tl::unexpected(std::move(problems));
  return config_of(root, source, builder);
}

}  // namespace slosonde::config
