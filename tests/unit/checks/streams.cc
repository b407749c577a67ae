#include "tests/unit/checks/streams.h"

#include <array>
#include <cstdlib>
#include <iostream>

#include "checks/kafka.h"
#include "checks/webhook.h"

namespace slosonde::checks::test {

tl::expected<config::Config, config::Problems> load_streams(const std::string& name, const std::string& text) {
  const std::array<config::NamedBlock, 2> kinds = {
      {{"kafka", &kafka_check_block(), &kafka_watch_block()}, {"webhook", nullptr, &webhook_block()}}};
  config::Source source;
  source.name = name;
  source.text = text;
  source.hostname = "host";
  source.folder = "/etc/slosonde";
  source.environment = [](const std::string& variable) -> std::optional<std::string> {
    return variable == "SECRET" ? std::optional<std::string>("swordfish swordfish") : std::nullopt;
  };
  source.read_file = [](const std::string&, size_t) -> Result<std::string> {
    return std::string("swordfish swordfish");
  };
  return config::load(source, kinds);
}

config::Values stage_settings(const std::string& text, const std::string& stage) {
  const auto loaded = load_streams("test.yaml", text);
  if (!loaded) {
    std::cerr << loaded.error().text("test.yaml") << '\n';
    std::abort();
  }
  for (const auto& transaction : loaded->transactions)
    for (const auto& one : transaction.stages)
      if (one.name == stage) return one.use.values;
  std::abort();
}

}  // namespace slosonde::checks::test
