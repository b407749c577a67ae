#include "probe/cli/memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

// jemalloc reads this when it starts. One heap for all threads (ours hardly ever allocate at once), of which what is
// free goes back to the kernel within a second. glibc's allocator takes a tenth more time for a check: libcurl's
// buffers are larger than what it keeps at hand.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:1,tcache_max:8192,dirty_decay_ms:1000,muzzy_decay_ms:0";
}

namespace slosonde::cli {

namespace {

// One mapping of /proc/self/smaps, as far as it matters here.
struct Mapping {
  uintptr_t from = 0, to = 0;
  bool droppable = false;  // of a file, not writable, and so far with no page of our own in it
  size_t resident = 0;

  size_t drop() const {
    if (!droppable || resident == 0) return 0;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address as /proc has it.
    return madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED) == 0 ? resident : 0;
  }
};

// "7f…-7f… r-xp 00001000 fe:00 123   /usr/lib/…"; false for the lines of figures that follow it.
bool read_head(const std::string& line, Mapping& mapping) {
  unsigned long from = 0, to = 0;
  char rights[5] = "";
  if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, rights) != 3) return false;
  const bool of_a_file = line.find('/') != std::string::npos;
  mapping = {from, to, of_a_file && rights[1] == '-' && rights[3] == 'p', 0};
  return true;
}

}  // namespace

size_t drop_startup_pages() {
  std::ifstream smaps("/proc/self/smaps");
  Mapping mapping;
  size_t dropped = 0;
  for (std::string line; std::getline(smaps, line);) {
    Mapping next;
    size_t kilobytes = 0;
    if (read_head(line, next)) {
      dropped += mapping.drop();
      mapping = next;
    } else if (std::sscanf(line.c_str(), "Rss: %zu kB", &kilobytes) == 1) {
      mapping.resident = kilobytes * 1024;
    } else if (std::sscanf(line.c_str(), "Anonymous: %zu kB", &kilobytes) == 1 && kilobytes > 0) {
      mapping.droppable = false;  // relocated constants: dropping them would lose them
    }
  }
  return dropped + mapping.drop();
}

}  // namespace slosonde::cli
