#include "tests/unit/checks/probe_run.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "checks/catalog.h"
#include "probe/config/source.h"
#include "tests/unit/io/turning.h"

namespace slosonde::checks {

config::Config load_stage(const std::string& yaml) {
  config::Source source;
  source.name = "stage";
  source.text =
      "probe: {name: unit}\ntransactions: [{name: t, every: 10s, stages: ["
      "{name: before, within: 1s, http: {url: 'http://127.0.0.1:1/', capture: {id: $.id}}}, "
      "{name: s, within: 5s, " +
      yaml + "}]}]\n";
  source.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SECRET") return "hunter2";
    if (name == "SHORT") return "pw";
    return std::nullopt;
  };
  const auto kinds = named_blocks();
  auto loaded = config::load(source, kinds);
  if (!loaded) {
    std::fputs(loaded.error().text("stage").c_str(), stderr);
    std::abort();
  }
  return std::move(*loaded);
}

OneCheck::OneCheck(io::Real& real, const std::string& yaml) : context(real), real_(real), config_(load_stage(yaml)) {
  const config::KindUse& use = config_.transactions.at(0).stages.back().use;
  auto made = find_kind(use.kind)->check(use.values, real);
  if (!made) {
    std::fputs(made.error().text.c_str(), stderr);
    std::abort();
  }
  check_ = std::move(*made);
  context.transaction = "t";
  context.stage = "s";
  context.probe = "unit";
  context.marker = "sonde1-marker";
  context.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
}

CheckResult OneCheck::run(Duration patience) {
  context.due = real_.now();
  context.deadline = context.due + patience;
  return io::finish(real_, check_->run(context));
}

}  // namespace slosonde::checks
