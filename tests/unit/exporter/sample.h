// A hand-made snapshot: a pipeline with some trouble, at a fixed instant.
#pragma once

#include <memory>
#include <string>

#include "probe/engine/snapshot.h"

namespace slosonde::exporter::sample {

// 2026-01-31T09:30:00Z
inline constexpr Instant kNow = instant_from_unix_ns(1'769'851'800'000'000'000);

// Two transactions (log-to-alert: ingest done, incident polled, alert watched; console: up done), two SLOs of which one
// burns, three watches of which one is out of sight, a few runs.
std::shared_ptr<engine::Snapshot> snapshot(Instant now = kNow);

// The same plan before anything has happened.
std::shared_ptr<engine::Snapshot> fresh_snapshot(Instant now = kNow);

std::string marker(uint64_t seq);

}  // namespace slosonde::exporter::sample
