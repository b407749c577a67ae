#include "probe/io/processor_wait.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <string_view>

namespace slosonde::io {

ProcessorWait::ProcessorWait() : file_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}

ProcessorWait::~ProcessorWait() {
  if (file_ >= 0) ::close(file_);
}

// "<nanoseconds run> <nanoseconds waited> <times run>"
Duration ProcessorWait::total() const {
  char text[96];
  const ssize_t size = file_ < 0 ? 0 : ::pread(file_, text, sizeof text, 0);
  if (size <= 0) return {};
  const std::string_view line(text, static_cast<size_t>(size));
  const size_t second = line.find(' ');
  if (second == std::string_view::npos) return {};
  int64_t waited = 0;
  std::from_chars(line.data() + second + 1, line.data() + line.size(), waited);
  return Duration(waited);
}

}  // namespace slosonde::io
