// Building prometheus-cpp's families sample by sample.
#pragma once

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/engine/snapshot.h"

namespace slosonde::exporter {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Refers to its place in `families`: finish one family before beginning the next.
class Family {
 public:
  Family(Families& families, prometheus::MetricType type, std::string_view name, std::string_view help);

  void add(Labels labels, double value);
  void add(Labels labels, std::optional<double> value);         // absent when there is nothing to say
  void add(Labels labels, const engine::Histogram& histogram);  // absent when it has no edges

 private:
  prometheus::ClientMetric& sample(Labels labels);
  prometheus::MetricFamily& family_;
};

Family counter(Families& families, std::string_view name, std::string_view help);
Family gauge(Families& families, std::string_view name, std::string_view help);
Family histogram(Families& families, std::string_view name, std::string_view help);

}  // namespace slosonde::exporter
