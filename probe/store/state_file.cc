#include "probe/store/state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "probe/store/schema.h"
#include "probe/store/tables.h"

namespace slosonde::store {

namespace {

std::string file_name(const std::string& path) {
  return "state file \"" + path + "\": ";
}

Trouble trouble_of_errno(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EROFS:
    case EIO:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Trouble::unable;
    default:
      return Trouble::denied;
  }
}

tl::unexpected<StoreError> errno_trouble(int number, const std::string& path, std::string_view doing) {
  std::string text = file_name(path);
  text.append(doing).append(": ").append(std::generic_category().message(number));
  if (number == ENOENT) text += "; make its folder, or name another file";
  return trouble(trouble_of_errno(number), std::move(text));
}

}  // namespace

StoreResult<StateFile> StateFile::open(StateFileOptions options, Instant now) {
  StateFile file(std::move(options));
  auto opened = file.make();
  if (opened) opened = file.open_and_load(now);
  if (!opened && opened.error().trouble == Trouble::damaged) {
    opened = file.move_aside(now, opened.error().text);
    if (opened) opened = file.make();
    if (opened) opened = file.open_and_load(now);
  }
  if (!opened) return tl::unexpected<StoreError>(std::move(opened).error());
  return file;
}

// SQLite would make it readable by everyone.
StoreResult<void> StateFile::make() {
  if (options_.vfs != nullptr) return {};
  const int descriptor = ::open(options_.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return errno_trouble(errno, options_.path, "it cannot be opened for writing");
  ::close(descriptor);
  return {};
}

StoreResult<void> StateFile::open_and_load(Instant now) {
  const auto named = [&](StoreError error) {
    error.text = file_name(options_.path) + error.text;
    if (error.trouble == Trouble::in_use) error.text += "; another slosonde runs with it";
    return tl::unexpected<StoreError>(std::move(error));
  };
  database_.reset();
  auto opened = Database::open(options_.path, options_.vfs);
  if (!opened) return named(std::move(opened).error());
  database_ = std::move(*opened);
  const auto sound = database_->pragma("SELECT quick_check <> 'ok' FROM pragma_quick_check(1)");
  if (!sound) return named(sound.error());
  if (*sound != 0) return named({Trouble::damaged, "its pages do not fit together"});
  if (auto done = migrate(*database_); !done) return named(std::move(done).error());
  // Where that cannot be written now, it is forgotten another time.
  (void)forget_unused(*database_, now - kUnusedKept);
  auto loaded = load(*database_);
  if (!loaded) return named(std::move(loaded).error());
  loaded_ = std::move(*loaded);
  return {};
}

StoreResult<void> StateFile::move_aside(Instant now, const std::string& why) {
  database_.reset();
  const std::string aside = options_.path + ".damaged-" + format_utc(now);
  for (const char* const part : {"", "-wal", "-shm"}) {
    if (std::rename((options_.path + part).c_str(), (aside + part).c_str()) == 0 || errno == ENOENT) continue;
    return errno_trouble(errno, options_.path, "it is damaged (" + why + ") and cannot be moved aside");
  }
  aside_ = Aside{aside, why};
  return {};
}

StoreResult<void> StateFile::commit(const Batch& batch) {
  auto done = apply(*database_, batch);
  if (!done) done.error().text.insert(0, file_name(options_.path));
  return done;
}

}  // namespace slosonde::store
