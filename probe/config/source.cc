#include "probe/config/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

namespace slosonde::config {
namespace {

class File {
 public:
  // Not blocking: a FIFO in the file's place must not hold the start up for ever.
  explicit File(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }

  // Reads up to `most` bytes; nothing, with errno set, when reading fails.
  std::optional<std::string> read_up_to(size_t most) const {
    std::string text;
    std::array<char, 16384> chunk{};
    while (text.size() < most) {
      const ssize_t got = read(descriptor_, chunk.data(), std::min(chunk.size(), most - text.size()));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::nullopt;
      if (got == 0) break;
      text.append(chunk.data(), static_cast<size_t>(got));
    }
    explicit_bzero(chunk.data(), chunk.size());
    return text;
  }

  bool is_folder() const {
    struct stat about {};
    return fstat(descriptor_, &about) == 0 && S_ISDIR(about.st_mode);
  }

 private:
  int descriptor_;
};

Result<std::string> read_up_to(const std::string& path, size_t most) {
  const File file(path);
  if (!file.is_open()) return fail(error_from_errno(errno, "cannot read " + path));
  if (file.is_folder()) return fail(ErrorCode::io_failed, "cannot read " + path + ": it is a folder, not a file");
  std::optional<std::string> text = file.read_up_to(most);
  if (!text) return fail(error_from_errno(errno, "cannot read " + path));
  return std::move(*text);
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

}  // namespace

Result<std::string> read_small_file(const std::string& path, size_t max_bytes) {
  Result<std::string> text = read_up_to(path, max_bytes + 1);
  if (text && text->size() > max_bytes)
    return fail(ErrorCode::too_large,
                "cannot read " + path + ": it is larger than " + std::to_string(max_bytes / 1024) + "KiB");
  return text;
}

Result<Source> open_source(const std::string& path) {
  Result<std::string> text = read_up_to(path, kMaxFileBytes + 1);
  if (!text) return fail(std::move(text.error()));
  Source source;
  source.name = path;
  source.text = std::move(*text);
  source.read_file = &read_small_file;
  source.environment = &environment;
  const size_t slash = path.rfind('/');
  source.folder = slash == std::string::npos ? "" : path.substr(0, slash == 0 ? 1 : slash);
  source.hostname = host_name();
  return source;
}

}  // namespace slosonde::config
