#include "probe/store/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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

// Why the file is not to be touched, by its first bytes: it never was a state file. (sqlite.org/fileformat.html, 1.3)
std::optional<std::string_view> why_not_ours(int descriptor) {
  std::array<unsigned char, 100> header{};
  const ssize_t size = ::pread(descriptor, header.data(), header.size(), 0);
  const auto is_zero = [](unsigned char byte) { return byte == 0; };
  if (size <= 0 || std::all_of(header.begin(), header.begin() + size, is_zero)) return std::nullopt;
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (!std::equal(kMagic.begin(), kMagic.end(), header.begin())) return "it is no state file";
  const auto number = [&](size_t at) {
    return int64_t{header[at]} << 24 | header[at + 1] << 16 | header[at + 2] << 8 | header[at + 3];
  };
  const int64_t schema_changes = number(40), application = number(68);
  if (application == kApplicationId || (application == 0 && schema_changes == 0)) return std::nullopt;
  return "it is the database of another program";
}

}  // namespace

StoreResult<StateFile> StateFile::open(StateFileOptions options, Instant now) {
  StateFile file(std::move(options));
  auto opened = file.make();
  if (opened) opened = file.open_and_load();
  if (!opened && opened.error().trouble == Trouble::damaged) opened = file.begin_anew(now, opened.error().text);
  if (!opened) return tl::unexpected<StoreError>(std::move(opened).error());
  return file;
}

// SQLite would make it readable by everyone.
StoreResult<void> StateFile::make() {
  if (options_.vfs != nullptr) return {};
  const int descriptor = ::open(options_.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return errno_trouble(errno, options_.path, "it cannot be opened for writing");
  if (const auto why = why_not_ours(descriptor)) {
    ::close(descriptor);
    return trouble(Trouble::denied,
                   file_name(options_.path).append(*why) + "; name another file, or move this one away");
  }
  // One that others could read until now, too: there are captured values in it.
  const int closed = ::fchmod(descriptor, 0600);
  const int number = errno;
  ::close(descriptor);
  if (closed != 0) return errno_trouble(number, options_.path, "it cannot be kept from other users");
  return {};
}

StoreResult<void> StateFile::open_and_load() {
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
  (void)forget_unused(*database_, kUnusedKept);
  auto loaded = load(*database_);
  if (!loaded) return named(std::move(loaded).error());
  loaded_ = std::move(*loaded);
  identity_ = options_.vfs == nullptr ? identity(options_.path) : std::nullopt;
  return {};
}

std::optional<StateFile::Identity> StateFile::identity(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  return Identity{file.st_dev, file.st_ino};
}

StoreResult<void> StateFile::is_at_its_path() const {
  if (!identity_) return {};
  const auto there = identity(options_.path);
  if (there == identity_) return {};
  return trouble(Trouble::unable,
                 there ? "another file lies at its path; put the one back that was there, or restart the "
                         "probe to go on with this one"
                       : "it was moved away or removed while the probe runs with it; put it back, or "
                         "restart the probe to begin a new one");
}

StoreResult<void> StateFile::begin_anew(Instant now, const std::string& why) {
  auto done = move_aside(now, why);
  if (done) done = make();
  if (done) done = open_and_load();
  return done;
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
  auto done = is_at_its_path();
  if (done) done = apply(*database_, batch);
  if (!done) done.error().text.insert(0, file_name(options_.path));
  return done;
}

}  // namespace slosonde::store
