#include "exporter/metrics.h"

#include <optional>
#include <utility>

namespace slosonde::exporter {

Metrics::Metrics(MetricsSources sources) : sources_(std::move(sources)) {}

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  Families families;
  std::optional<engine::ConfigStatus> config;
  Instant loaded = sources_.config_loaded;
  if (const auto snapshot = sources_.snapshot()) {
    config = snapshot->config;
    if (config) loaded = config->loaded + snapshot->wall_offset;
    collect_runs(*snapshot, families);
    collect_stages(*snapshot, families);
    collect_slos(*snapshot, families);
    collect_engine(*snapshot, families);
  }
  if (sources_.inbox) {
    counter(families, "slosonde_inbox_dropped_total",
            "Messages to the engine thread that were dropped because its inbox was full.")
        .add({}, static_cast<double>(sources_.inbox->dropped()));
  }
  if (sources_.web) {
    for (auto& family : sources_.web->Collect()) families.push_back(std::move(family));
  }
  gauge(families, "slosonde_build_info", "The version of this slosonde; always 1.")
      .add({{"version", sources_.version}}, 1.0);
  gauge(families, "slosonde_config_last_reload_successful", "Whether the last attempt to load the configuration did.")
      .add({}, !config || config->reload_succeeded ? 1.0 : 0.0);
  gauge(families, "slosonde_config_last_reload_success_timestamp_seconds",
        "When the configuration in force was loaded, in Unix seconds.")
      .add({}, static_cast<double>(unix_ns(loaded)) / 1e9);
  process_.collect(families);
  return families;
}

}  // namespace slosonde::exporter
