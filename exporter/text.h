// Prometheus' text format 0.0.4 of collected families.
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace slosonde::exporter {

inline constexpr std::string_view kTextContentType = "text/plain; version=0.0.4; charset=utf-8";

// Appends to `out`. Families without samples and samples that are not a number are left out; infinities stand.
void write_text(const std::vector<prometheus::MetricFamily>& families, std::string& out);

// As the format writes it: the shortest text that reads back as the same number, "+Inf", "-Inf", "NaN".
void append_number(double value, std::string& out);

}  // namespace slosonde::exporter
