// The fixed buckets of a transaction's histograms, derived from its limits.
#pragma once

#include <memory>
#include <vector>

#include "probe/base/time.h"
#include "probe/engine/snapshot.h"

namespace slosonde::engine {

using Edges = std::shared_ptr<const std::vector<double>>;

// From 0.5 % of `limit` to 4 times it, the limit itself among them; seconds.
Edges latency_edges(Duration limit);

// For parts of one attempt that takes `limit` at most: from 0.1 % of it to all of it; seconds.
Edges phase_edges(Duration limit);

// How late runs start; seconds.
Edges lateness_edges();

Histogram empty_histogram(const Edges& edges);

}  // namespace slosonde::engine
