#include "exporter/text.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace slosonde::exporter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

void append_integer(uint64_t value, std::string& out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value);
  out.append(text, end.ptr);
}

// `quoted`: a label's value, where the quote must be escaped too.
void append_escaped(std::string_view text, bool quoted, std::string& out) {
  const auto is_special = [quoted](char c) { return c == '\\' || c == '\n' || (c == '"' && quoted); };
  size_t done = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!is_special(text[i])) continue;
    out.append(text, done, i - done);
    out += '\\';
    out += text[i] == '\n' ? 'n' : text[i];
    done = i + 1;
  }
  out.append(text, done);
}

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Summary:
      return "summary";
    case MetricType::Histogram:
      return "histogram";
    case MetricType::Untyped:
      break;
  }
  return "untyped";
}

// a="1",b="2": without the braces, so that a histogram can add its edges.
std::string label_text(const ClientMetric& metric) {
  std::string text;
  for (const ClientMetric::Label& label : metric.label) {
    if (!text.empty()) text += ',';
    text += label.name;
    text += "=\"";
    append_escaped(label.value, true, text);
    text += '"';
  }
  return text;
}

// name{labels} with the space before the value.
void append_series(const MetricFamily& family, std::string_view suffix, std::string_view labels, std::string& out) {
  out += family.name;
  out += suffix;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
}

void append_bucket(const MetricFamily& family, std::string_view labels, double edge, uint64_t count, std::string& out) {
  out += family.name;
  out += "_bucket{";
  out += labels;
  out += labels.empty() ? "le=\"" : ",le=\"";
  append_number(edge, out);
  out += "\"} ";
  append_integer(count, out);
  out += '\n';
}

void append_histogram(const MetricFamily& family, const ClientMetric& metric, std::string& out) {
  const ClientMetric::Histogram& histogram = metric.histogram;
  const std::string labels = label_text(metric);
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    append_bucket(family, labels, bucket.upper_bound, bucket.cumulative_count, out);
  }
  if (histogram.bucket.empty() || !std::isinf(histogram.bucket.back().upper_bound)) {
    append_bucket(family, labels, INFINITY, histogram.sample_count, out);
  }
  append_series(family, "_sum", labels, out);
  append_number(histogram.sample_sum, out);
  out += '\n';
  append_series(family, "_count", labels, out);
  append_integer(histogram.sample_count, out);
  out += '\n';
}

void append_plain(const MetricFamily& family, const ClientMetric& metric, double value, std::string& out) {
  if (std::isnan(value)) return;
  append_series(family, {}, label_text(metric), out);
  append_number(value, out);
  out += '\n';
}

void append_metric(const MetricFamily& family, const ClientMetric& metric, std::string& out) {
  switch (family.type) {
    case MetricType::Counter:
      return append_plain(family, metric, metric.counter.value, out);
    case MetricType::Gauge:
      return append_plain(family, metric, metric.gauge.value, out);
    case MetricType::Histogram:
      return append_histogram(family, metric, out);
    case MetricType::Untyped:
      return append_plain(family, metric, metric.untyped.value, out);
    case MetricType::Summary:
      break;  // none of ours
  }
}

}  // namespace

void append_number(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    char text[32];
    // Whole numbers in full: the shortest form of 100000 would be 1e+05.
    const bool whole = std::abs(value) < 1e15 && value == std::trunc(value);
    const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<int64_t>(value))
                           : std::to_chars(text, text + sizeof text, value);
    out.append(text, end.ptr);
  }
}

void write_text(const std::vector<MetricFamily>& families, std::string& out) {
  for (const MetricFamily& family : families) {
    if (family.metric.empty()) continue;
    out += "# HELP ";
    out += family.name;
    out += ' ';
    append_escaped(family.help, false, out);
    out += "\n# TYPE ";
    out += family.name;
    out += ' ';
    out += type_name(family.type);
    out += '\n';
    for (const ClientMetric& metric : family.metric) append_metric(family, metric, out);
  }
}

}  // namespace slosonde::exporter
