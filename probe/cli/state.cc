#include "probe/cli/state.h"

#include <chrono>
#include <memory>
#include <utility>

#include "probe/store/state_file.h"
#include "probe/store/writer.h"

namespace slosonde::cli {

namespace {

Instant now_by_wall_clock() {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

}  // namespace

Result<std::optional<OpenedState>> open_state(const config::Config& config) {
  if (config.probe.state.empty()) return std::nullopt;
  OpenedState made;
  made.options.path = config.probe.state;
  made.options.commit_every = config.probe.commit;
  store::WriterOptions options;
  options.file.path = config.probe.state;
  options.now = now_by_wall_clock;
  auto opened = store::StateFile::open(options.file, options.now());
  std::optional<store::StateFile> file;
  if (opened) {
    file = std::move(*opened);
    made.options.kept = file->take_loaded();
    if (const auto& aside = file->moved_aside()) {
      made.warning = "a damaged state file was moved aside to \"" + aside->path + "\" (" + aside->why +
                     "); counts, alerts and runs begin anew";
    }
  } else if (opened.error().trouble == store::Trouble::unable) {
    made.warning = opened.error().text + "; probing goes on, and it is tried again";
  } else {
    return fail(ErrorCode::io_failed, opened.error().text);
  }
  made.options.writer = std::make_unique<store::Writer>(std::move(file), std::move(options));
  return made;
}

}  // namespace slosonde::cli
