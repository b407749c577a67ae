// Everything slosonde says to Prometheus, as a prometheus::Collectable over the engine's snapshot.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exporter/families.h"
#include "exporter/process.h"
#include "probe/engine/snapshot.h"
#include "probe/io/inbox.h"

namespace slosonde::exporter {

struct MetricsSources {
  std::function<std::shared_ptr<const engine::Snapshot>()> snapshot;  // may give null: then only the probe's own
  const io::Inbox* inbox = nullptr;
  const prometheus::Collectable* web = nullptr;  // the web server's counters
  std::string version;
  Instant config_loaded{};
};

// Called on one thread at a time.
class Metrics : public prometheus::Collectable {
 public:
  explicit Metrics(MetricsSources sources);
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  MetricsSources sources_;
  ProcessFigures process_;
};

// The parts, by topic. Counters and histograms are there from the start for every combination of the closed sets; a
// gauge with nothing to say is absent.
void collect_runs(const engine::Snapshot& snapshot, Families& families);
void collect_stages(const engine::Snapshot& snapshot, Families& families);
void collect_slos(const engine::Snapshot& snapshot, Families& families);
void collect_engine(const engine::Snapshot& snapshot, Families& families);

}  // namespace slosonde::exporter
