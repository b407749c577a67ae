// Looks whether the way in works that senders take: posts to `hooks.external_url`, again and again, a nonce that only
// this process knows (exporter/web/way_in.h).
#pragma once

#include <memory>
#include <string>

#include "exporter/web/way_in.h"
#include "probe/base/result.h"
#include "probe/config/config.h"
#include "probe/io/io.h"
#include "probe/io/task.h"

namespace slosonde::cli {

// Engine thread. Ends with the next turns of the Io after it; `way_in` must last until then.
class HookSight {
 public:
  // Begins to look. `bad_config` for a URL that cannot be asked, own faults.
  static Result<HookSight> start(const config::Config& config, io::Io& io, exporter::WayIn& way_in);

 private:
  explicit HookSight(io::Task looking) : looking_(std::move(looking)) {}

  io::Task looking_;
};

// Where to post, below the external URL; its query stays.
std::string way_in_url(std::string_view external_url);

}  // namespace slosonde::cli
