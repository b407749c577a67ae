// What the bodies and queries of commands mean.
#pragma once

#include <string>
#include <string_view>

#include "exporter/web/request.h"
#include "probe/base/result.h"
#include "probe/engine/core.h"

namespace slosonde::exporter {

constexpr std::string_view kExclusions = "/api/v1/exclusions";
constexpr std::string_view kSuspend = "/-/suspend";
constexpr std::string_view kResume = "/-/resume";

// POST /api/v1/exclusions: {"name", "transactions" (default: all), "start" (default: now), "end" or "for"}.
Result<engine::ExclusionOrder> exclusion_order(const std::string& body);
// DELETE /api/v1/exclusions/<name>
Result<engine::EndExclusion> end_order(std::string_view path);
// POST /-/suspend and /-/resume, with ?transaction=NAME or of all.
Result<engine::Suspend> suspend_order(const RequestHead& head);

}  // namespace slosonde::exporter
