// The status page: plain HTML that reads without JavaScript, on a phone, in the dark and aloud.
#pragma once

#include <string>
#include <string_view>

#include "exporter/web/api.h"
#include "probe/base/time.h"
#include "probe/engine/snapshot.h"

namespace slosonde::exporter {

// `snapshot` may be null: the engine has not started. `refresh`: the browser asks again every few seconds by itself.
std::string status_page(const engine::Snapshot* snapshot, const HooksView& hooks, Instant now, std::string_view version,
                        bool refresh);

// Its sections; each appends to `out`.
void write_slos(const engine::Snapshot& snapshot, std::string& out);
void write_exclusions(const engine::Snapshot& snapshot, std::string& out);
void write_transactions(const engine::Snapshot& snapshot, std::string& out);
void write_runs(const engine::Snapshot& snapshot, std::string& out);
void write_watches(const engine::Snapshot& snapshot, std::string& out);

}  // namespace slosonde::exporter
