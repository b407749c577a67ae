// A configuration file on disk, opened for load().
#pragma once

#include <string>

#include "probe/base/result.h"
#include "probe/config/config.h"

namespace slosonde::config {

// Reads at most one byte more than load() takes, so that a file of any size costs no memory. References see the
// process' environment and the file system; relative paths start at the file's folder. Blocks while reading; any
// thread.
Result<Source> open_source(const std::string& path);

// A regular file's whole text, or `too_large` when it is over max_bytes; `denied`, `io_failed` and so on otherwise.
Result<std::string> read_small_file(const std::string& path, size_t max_bytes);

}  // namespace slosonde::config
