#include "tests/fuzz/config_input.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "probe/config/network.h"
#include "probe/config/utf8.h"
#include "tests/unit/config/test_kinds.h"

namespace slosonde::config::test {
namespace {

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

class Everything : public Variables {
 public:
  std::optional<std::string_view> variable(std::string_view name) const override {
    return name == "marker" ? std::optional<std::string_view>("\"\xFF\\\x01") : std::nullopt;
  }
};

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

constexpr std::string_view kSecret = "hush-token-0123456789";

void check_problems(const Problems& problems, bool knows_secret) {
  must(!problems.empty(), "what is refused has problems");
  must(problems.list().size() <= Problems::kMax + 1, "problems are bounded");
  const std::string text = problems.text("fuzz.yaml");
  must(is_utf8(text), "messages are UTF-8");
  Position last;
  for (const Problem& problem : problems.list()) {
    const Position now = problem.position;
    must(now.line > last.line || (now.line == last.line && now.column >= last.column), "problems are in order");
    must(problem.message.size() < 4096, "messages are bounded");
    must((problem.message + problem.path).find_first_of("\n\r\t\x1b\x7f") == std::string::npos,
         "messages are one line");
    last = now;
  }
  must(knows_secret || text.find(kSecret) == std::string::npos, "messages show no secret");
}

void render(const Values& values) {
  const Everything everything;
  for (const Key& key : values.block_declaration().keys) {
    if (!values.has(key.name)) continue;
    if (key.type == Type::json) {
      boost::system::error_code error;
      boost::json::parse(render_json(values.json(key.name), everything), error);
      must(!error, "rendered JSON is JSON");
    } else if (key.type == Type::url || key.type == Type::text_template) {
      const std::string rendered = values.text_template(key.name).render(everything);
      if (key.type == Type::url) must(rendered.starts_with("http"), "a rendered URL is one");
    }
  }
}

void check_config(const Config& config, bool knows_secret) {
  must(!config.transactions.empty(), "there is a transaction");
  for (const Transaction& transaction : config.transactions) {
    must(transaction.every > Duration::zero() && transaction.max_in_flight > 0, "runs can be scheduled");
    must(!transaction.stages.empty(), "there is a stage");
    for (size_t i = 0; i < transaction.stages.size(); ++i) {
      const Stage& stage = transaction.stages[i];
      must(stage.within > Duration::zero() && (!stage.from || *stage.from < i), "limits can be kept");
      render(stage.use.values);
    }
    for (const Stage& step : transaction.finally) render(step.use.values);
  }
  for (const Slo& slo : config.slos) {
    must(slo.objective_ppb > 0 && slo.objective_ppb < 1'000'000'000, "an objective leaves a budget");
    must(slo.transaction < config.transactions.size(), "an SLO's transaction is there");
    must(!slo.stage || *slo.stage < config.transactions[slo.transaction].stages.size(), "an SLO's stage is there");
  }
  const std::string shown = boost::json::serialize(config.root.shown());
  must(knows_secret || shown.find(kSecret) == std::string::npos, "views show no secret");
  must(config.root.fingerprint().size() == 64, "values have a fingerprint");
}

}  // namespace

void try_config(std::string_view text) {
  static const std::vector<NamedBlock> known = kinds();
  const auto config = load(source("fuzz.yaml", std::string(text)), known);
  // The fuzzer watches comparisons, and so comes to write the secret itself.
  const bool knows_secret = text.find("hush") != std::string_view::npos;
  if (config)
    check_config(*config, knows_secret);
  else
    check_problems(config.error(), knows_secret);
}

}  // namespace slosonde::config::test
