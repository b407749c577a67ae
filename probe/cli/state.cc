#include "probe/cli/state.h"

#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "probe/base/wall_step.h"
#include "probe/store/state_file.h"
#include "probe/store/writer.h"

namespace slosonde::cli {

namespace {

Duration read(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// Which boot of the machine this is, and where its wall clock stands now.
store::KeptClock present_clock() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  return {std::hash<std::string>()(boot) >> 1, read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME)};
}

// Of another boot nothing can be said.
bool was_stepped(const std::optional<store::KeptClock>& before, const store::KeptClock& now) {
  return before && before->boot == now.boot && std::chrono::abs(before->offset - now.offset) > kWallStep;
}

Instant now_by_wall_clock() {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

}  // namespace

std::string state_obstacle(const config::Config& config) {
  if (config.probe.state.empty()) return {};
  const std::filesystem::path file(config.probe.state);
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    return "there is no folder \"" + folder.string() + "\" on this machine; `run` would not start";
  if (std::filesystem::is_directory(file, error)) return "\"" + file.string() + "\" is a folder; `run` would not start";
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return "this user may not write in \"" + folder.string() + "\"; `run` would not start as this user";
  return {};
}

Result<std::optional<OpenedState>> open_state(const config::Config& config) {
  if (config.probe.state.empty()) return std::nullopt;
  OpenedState made;
  made.options.path = config.probe.state;
  made.options.commit_every = config.probe.commit;
  made.options.clock = present_clock();
  store::WriterOptions options;
  options.file.path = config.probe.state;
  options.now = now_by_wall_clock;
  auto opened = store::StateFile::open(options.file, options.now());
  std::optional<store::StateFile> file;
  if (opened) {
    file = std::move(*opened);
    made.options.kept = file->take_loaded();
    const auto& kept = made.options.kept;
    made.begins = kept.epoch ? "goes on, with " + std::to_string(kept.slis.size()) + " SLIs and " +
                                   std::to_string(kept.runs.size()) + " runs in flight"
                             : "begins";
    made.options.clock_stepped = was_stepped(made.options.kept.clock, made.options.clock);
    if (const auto& aside = file->moved_aside()) {
      made.options.moved_aside = aside->path + " (" + aside->why + ")";
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
