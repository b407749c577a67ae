// Small parts of the JSON views.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "probe/base/error.h"
#include "probe/base/time.h"
#include "probe/engine/plan.h"
#include "probe/engine/snapshot.h"

namespace slosonde::exporter {

// As the wall clock says it; null for nothing and for kNever.
boost::json::value json_time(std::optional<Instant> instant, Duration wall_offset);
boost::json::value json_seconds(std::optional<Duration> duration);
// The nearest number: 120, where seconds() may give 120.00000000000001.
double exact_seconds(Duration duration);
// null for nothing, "+Inf" and "-Inf" for infinities.
boost::json::value json_number(std::optional<double> number);
boost::json::value json_error(const Error& error);    // null for none
boost::json::value json_text(std::string_view text);  // as UTF-8
std::string_view mode_name(engine::StageMode mode);

// Boost.JSON's own serialiser writes every number with an exponent (1.2E2); people read this, too. Numbers from 1e-9 to
// 1e21 have none.
std::string json_written(const boost::json::value& value);

}  // namespace slosonde::exporter
