// Shares, durations and sizes: numbers with a unit.
#pragma once

#include <cstdint>
#include <tl/expected.hpp>

#include "probe/base/time.h"
#include "probe/config/scalars.h"

namespace slosonde::config {

// Exact: "99.9%" and "0.999" are 999'000'000 parts per billion.
tl::expected<int64_t, Mistake> read_share(const Scalar& scalar);
tl::expected<Duration, Mistake> read_duration(const Scalar& scalar);
// B KiB MiB GiB.
tl::expected<uint64_t, Mistake> read_bytes(const Scalar& scalar);

}  // namespace slosonde::config
