// Writing HTML without forgetting to escape, and figures as people read them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probe/base/time.h"

namespace slosonde::exporter {

// For texts and attribute values in double quotes.
std::string escaped(std::string_view text);

// 0.42 ms, 312 ms, 2.41 s, 1 m 05 s; ∞ for infinity.
std::string shown_seconds(double seconds);
// 5 s ago, 3 m ago, 2 h ago, 4 d ago; "now" under a second.
std::string shown_ago(Duration age);
// 99.95 %, at most `decimals` of them, without trailing zeros; the space is a narrow no-break one.
std::string shown_percent(double ratio, int decimals);
// 1234567 as 1 234 567 with narrow no-break spaces.
std::string shown_count(uint64_t count);
// Three significant digits: 0.012, 1.44, 14.4, 144.
std::string shown_factor(double value);

// <time datetime="…" title="…">5 s ago</time>
std::string time_ago(Instant instant, Instant now, Duration wall_offset);

// <span class="tag good">…</span>; the text says all, the colour helps.
std::string tag(std::string_view style, std::string_view text);

}  // namespace slosonde::exporter
