#include "exporter/families.h"

#include <limits>
#include <string>

namespace slosonde::exporter {

using prometheus::ClientMetric;
using prometheus::MetricType;

Family::Family(Families& families, MetricType type, std::string_view name, std::string_view help)
    : family_(families.emplace_back()) {
  family_.name = name;
  family_.help = help;
  family_.type = type;
}

ClientMetric& Family::sample(Labels labels) {
  ClientMetric& metric = family_.metric.emplace_back();
  metric.label.reserve(labels.size());
  for (const auto& [name, value] : labels) {
    metric.label.push_back({std::string(name), std::string(value)});
  }
  return metric;
}

void Family::add(Labels labels, double value) {
  ClientMetric& metric = sample(labels);
  if (family_.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void Family::add(Labels labels, std::optional<double> value) {
  if (value) add(labels, *value);
}

void Family::add(Labels labels, const engine::Histogram& from) {
  if (!from.edges || from.counts.size() != from.edges->size() + 1) return;
  ClientMetric::Histogram& histogram = sample(labels).histogram;
  histogram.bucket.reserve(from.counts.size());
  uint64_t cumulative = 0;
  for (size_t i = 0; i < from.counts.size(); ++i) {
    cumulative += from.counts[i];
    const double edge = i < from.edges->size() ? (*from.edges)[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({cumulative, edge});
  }
  histogram.sample_count = cumulative;
  histogram.sample_sum = from.sum;
}

Family counter(Families& families, std::string_view name, std::string_view help) {
  return {families, MetricType::Counter, name, help};
}
Family gauge(Families& families, std::string_view name, std::string_view help) {
  return {families, MetricType::Gauge, name, help};
}
Family histogram(Families& families, std::string_view name, std::string_view help) {
  return {families, MetricType::Histogram, name, help};
}

}  // namespace slosonde::exporter
