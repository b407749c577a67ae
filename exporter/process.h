// The process's own figures, as Prometheus' conventions name them (process_*).
#pragma once

#include <prometheus/metric_family.h>

#include <memory>
#include <string>
#include <vector>

namespace slosonde::exporter {

// Keeps its /proc files open, so that it still reads when the process is out of descriptors. One thread at a time.
class ProcessFigures {
 public:
  ProcessFigures();
  ~ProcessFigures();
  ProcessFigures(const ProcessFigures&) = delete;
  ProcessFigures& operator=(const ProcessFigures&) = delete;

  // What cannot be read is left out.
  void collect(std::vector<prometheus::MetricFamily>& families) const;

 private:
  struct Files;
  std::unique_ptr<Files> files_;
  double start_time_ = 0;  // Unix seconds; 0: unknown
};

}  // namespace slosonde::exporter
