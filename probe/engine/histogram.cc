#include "probe/engine/histogram.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <span>

namespace slosonde::engine {

namespace {

constexpr std::array<int64_t, 16> kLatencyPermille = {5,   10,  25,   50,   100,  150,  250,  400,
                                                      600, 800, 1000, 1250, 1500, 2000, 3000, 4000};
constexpr std::array<int64_t, 11> kPhasePermille = {1, 2, 5, 10, 25, 50, 100, 200, 400, 700, 1000};

// Whole numbers until the one, correctly rounded division: 0.3, not 0.30000000000000004.
Edges edges_of(Duration limit, std::span<const int64_t> permille) {
  const int64_t micros = std::max<int64_t>(limit.count() / 1000, 1);
  auto edges = std::make_shared<std::vector<double>>();
  for (const int64_t share : permille) {
    const double edge = static_cast<double>(micros * share) / 1e9;
    if (edges->empty() || edge > edges->back()) edges->push_back(edge);
  }
  return edges;
}

}  // namespace

Edges latency_edges(Duration limit) {
  return edges_of(limit, kLatencyPermille);
}

Edges phase_edges(Duration limit) {
  return edges_of(limit, kPhasePermille);
}

Edges lateness_edges() {
  return std::make_shared<const std::vector<double>>(
      std::vector<double>{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5});
}

Histogram empty_histogram(const Edges& edges) {
  Histogram made;
  made.edges = edges;
  made.counts.assign(edges->size() + 1, 0);
  return made;
}

void Histogram::observe(double value) {
  const auto edge = std::lower_bound(edges->begin(), edges->end(), value);
  ++counts[static_cast<size_t>(edge - edges->begin())];
  sum += value;
}

void Histogram::observe_infinite() {
  ++counts.back();
}

uint64_t Histogram::count() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

}  // namespace slosonde::engine
